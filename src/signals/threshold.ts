// Remembers the looks at one threshold: what it was before the first request to the new version, and the last few since then. It
// asks nobody and knows no clock.
import { type Fetched, whyDown } from './fetched.ts';
import type { LookedAt } from './prometheus-number.ts';
import { isRecord } from './samples-body.ts';

export interface ThresholdMetric {
  readonly name: string;
  readonly query: string;
  /** Allowed is at most this. */
  readonly max?: number;
  /** Allowed is at least this. */
  readonly min?: number;
}

interface Look {
  readonly atMs: number;
  readonly value: number;
}

interface State {
  /** The last looks before the first request. */
  readonly before: readonly Look[];
  /** The last looks since then. */
  readonly looks: readonly Look[];
  readonly hadTraffic: boolean;
  /** The value that it had before the release could be the cause; kept until it is well again. */
  readonly excused: number | undefined;
  readonly harm: { readonly sentence: string; readonly atMs: number } | undefined;
}

const looksBefore = 2;
const looksKept = 5;
const looksBeyond = 3;
/** So many in a row within the limit, under the present weight, let a step rest on them. */
const looksWithin = 3;
/** Older looks say nothing about now: three of five means of one short while. */
const forgottenAfterMs = 120_000;

export function openThreshold(metric: ThresholdMetric): Threshold {
  return new Threshold(metric, { before: [], looks: [], hadTraffic: false, excused: undefined, harm: undefined });
}

/** Undefined when nothing is saved of it, or what was saved can no longer be read. */
export function restoredThreshold(metric: ThresholdMetric, saved: readonly unknown[] = []): Threshold | undefined {
  const own = Array.isArray(saved) ? saved.find((one) => isRecord(one) && one.of === identityOf(metric)) : undefined;
  if (!isRecord(own)) return undefined;
  const { excused, harm } = own;
  return new Threshold(metric, {
    before: looksIn(own.before),
    looks: looksIn(own.looks),
    hadTraffic: own.hadTraffic === true,
    excused: typeof excused === 'number' ? excused : undefined,
    harm:
      isRecord(harm) && typeof harm.sentence === 'string' && typeof harm.atMs === 'number'
        ? { sentence: harm.sentence, atMs: harm.atMs }
        : undefined,
  });
}

export class Threshold {
  readonly #metric: ThresholdMetric;
  #state: State;
  #inARow = 0;
  /** Why the last look gave no number; undefined when it gave one. */
  #silence: string | undefined = 'was not looked at yet';

  constructor(metric: ThresholdMetric, state: State) {
    this.#metric = metric;
    this.#state = state;
  }

  get name(): string {
    return this.#metric.name;
  }

  get query(): string {
    return this.#metric.query;
  }

  get hadTraffic(): boolean {
    return this.#state.hadTraffic;
  }

  get hasLooked(): boolean {
    return this.#state.before.length > 0 || this.#state.looks.length > 0 || this.harm !== undefined;
  }

  get isKnownBefore(): boolean {
    return this.#state.before.length >= looksBefore;
  }

  /** Latched: for the rest of the attempt. */
  get harm(): State['harm'] {
    return this.#state.harm;
  }

  /** That it was beyond its limit before this release; undefined when it was not, or is well again. */
  get excuse(): string | undefined {
    const { excused } = this.#state;
    return excused === undefined
      ? undefined
      : `${this.name} was ${numberWords(excused)} before the first request to the new version, ${this.#limit()}: it is not held against this release.`;
  }

  /** What a step waits for; undefined when nothing stands against it here. */
  get waitingFor(): string | undefined {
    if (this.#silence !== undefined) return `waiting for ${this.name}, which ${this.#silence}`;
    const last = this.#state.looks.at(-1);
    const now = last === undefined ? '' : `: it is ${numberWords(last.value)}, ${this.#limit()}`;
    if (this.#state.excused !== undefined) return `waiting for ${this.name} to get well${now}`;
    if (this.#inARow >= looksWithin) return undefined;
    return `waiting for ${looksWithin} looks in a row at ${this.name} within its limit${now}`;
  }

  get saved(): unknown {
    const { excused, harm, ...rest } = this.#state;
    return {
      of: identityOf(this.#metric),
      ...rest,
      ...(excused === undefined ? {} : { excused }),
      ...(harm === undefined ? {} : { harm }),
    };
  }

  stepStarted(): void {
    this.#inARow = 0;
  }

  take(fetched: Fetched<LookedAt>, hadTraffic: boolean, nowMs: number): void {
    this.#silence = silenceOf(fetched);
    if (fetched.kind === 'down' || fetched.value.kind === 'none') {
      this.#inARow = 0;
      return;
    }
    const look = { atMs: nowMs, value: fetched.value.value };
    if (!hadTraffic) {
      this.#state = { ...this.#state, before: [...this.#state.before, look].slice(-looksBefore) };
      return;
    }
    if (!this.#state.hadTraffic) this.#open();
    this.#inARow = this.#isBeyond(look) ? 0 : this.#inARow + 1;
    this.#count(look);
  }

  /** The first request is on its way: what was beyond its limit until now is not the release's doing. */
  #open(): void {
    const { before } = this.#state;
    const isOldTrouble = before.length > 0 && before.every((look) => this.#isBeyond(look));
    this.#state = { ...this.#state, hadTraffic: true, excused: isOldTrouble ? before.at(-1)?.value : undefined };
  }

  #count(look: Look): void {
    const recent = this.#state.looks.filter(({ atMs }) => atMs > look.atMs - forgottenAfterMs);
    const looks = [...recent, look].slice(-looksKept);
    const beyond = looks.filter((one) => this.#isBeyond(one));
    const isWell = looks.length === looksKept && beyond.length === 0;
    const excused = isWell ? undefined : this.#state.excused;
    const isHarm = excused === undefined && beyond.length >= looksBeyond;
    const harm = this.#state.harm ?? (isHarm ? this.#harmSeen(beyond, looks, look.atMs) : undefined);
    this.#state = { ...this.#state, looks, excused, harm };
  }

  #harmSeen(beyond: readonly Look[], looks: readonly Look[], atMs: number): NonNullable<State['harm']> {
    const value = numberWords(beyond.at(-1)?.value ?? 0);
    return {
      sentence: `${this.name} is ${value}, ${this.#limit()}, in ${beyond.length} of the last ${looks.length} looks.`,
      atMs,
    };
  }

  #isBeyond({ value }: Look): boolean {
    const { max = Infinity, min = -Infinity } = this.#metric;
    return value > max || value < min;
  }

  #limit(): string {
    const { max, min } = this.#metric;
    const limits = [
      ...(max === undefined ? [] : [`at most ${numberWords(max)}`]),
      ...(min === undefined ? [] : [`at least ${numberWords(min)}`]),
    ];
    return `${limits.join(' and ')} is allowed`;
  }
}

/** A limit or a query that was changed is another threshold: old looks at it prove nothing. */
function identityOf({ name, query, max, min }: ThresholdMetric): string {
  return JSON.stringify([name, query, max ?? null, min ?? null]);
}

function silenceOf(fetched: Fetched<LookedAt>): string | undefined {
  if (fetched.kind === 'down') return `has no answer: ${whyDown(fetched)}`;
  return fetched.value.kind === 'none' ? `gives ${fetched.value.why}` : undefined;
}

function looksIn(saved: unknown): readonly Look[] {
  const all: readonly unknown[] = Array.isArray(saved) ? saved : [];
  return all
    .flatMap((one) =>
      isRecord(one) && typeof one.atMs === 'number' && typeof one.value === 'number'
        ? [{ atMs: one.atMs, value: one.value }]
        : [],
    )
    .slice(-looksKept);
}

/** Four digits are as many as people compare with a limit. */
function numberWords(value: number): string {
  return String(Number(value.toPrecision(4)));
}
