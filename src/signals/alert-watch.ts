// Remembers what was seen of the alerts that one matcher names: which fired when the attempt began, which fire now, and since when.
// It asks nobody and knows no clock; a look without an answer changes nothing (S7).
import type { Fetched } from './fetched.ts';
import type { NamedAlert } from './firing-alerts.ts';
import { isRecord } from './samples-body.ts';

export interface WatchedAlert {
  /** Label matchers in PromQL, in braces. */
  readonly matching: string;
  readonly do: 'hold' | 'rollback';
  /** It counts also when it fired already as the attempt began. */
  readonly alsoIfBefore: boolean;
}

/** An alert that counts now. */
export interface FiringAlert {
  readonly do: 'hold' | 'rollback';
  /** "alert HighErrorRate (severity=page, service=checkout) has fired for 40s" */
  readonly sentence: string;
  readonly firingForMs: number;
}

interface Fire {
  readonly name: string;
  readonly sinceMs: number;
  /** It has fired in so many looks in a row; 0: not in the last one. */
  readonly looks: number;
  /** It was missing in so many looks in a row. */
  readonly missed: number;
}

/** Going back waits for the second look: one evaluation of a rule may be wrong for a moment. */
const looksForRollback = 2;
/** Missing in so many looks in a row it has stopped; rules that are evaluated anew may leave a short gap. */
const looksToStop = 2;
/** What was seen longer ago says nothing about now. */
const staleAfterMs = 30_000;

export class AlertWatch {
  readonly watched: WatchedAlert;
  /** Ids of those that fired when the attempt began and have not stopped since; undefined while that is not known. */
  #before: ReadonlySet<string> | undefined;
  #fires: ReadonlyMap<string, Fire> = new Map();
  #lookedMs: number | undefined;
  /** Why nothing was seen in the last looks, in a row; undefined when the last one brought an answer. */
  #silence: { readonly looks: number; readonly why: string } | undefined;

  constructor(watched: WatchedAlert, saved: readonly unknown[] = []) {
    this.watched = watched;
    const own = saved.find((one) => isRecord(one) && one.of === watched.matching);
    if (!isRecord(own) || !Array.isArray(own.before)) return;
    this.#before = new Set(own.before.filter((id) => typeof id === 'string'));
    // How often it was seen in a row is seen again: an operator that was away for long has not looked.
    this.#fires = new Map(firesIn(own.fires).map(({ id, ...fire }) => [id, { ...fire, looks: 0, missed: 0 }]));
  }

  /** What fired when the attempt began still has to be asked for. */
  get needsBefore(): boolean {
    return this.#before === undefined;
  }

  /** Undefined while nothing was seen. */
  get saved(): unknown {
    if (this.#before === undefined) return undefined;
    const fires = [...this.#fires].map(([id, { name, sinceMs }]) => [id, sinceMs, name] as const);
    return { of: this.watched.matching, before: [...this.#before], fires };
  }

  /** Why these alerts cannot be seen; undefined as long as it may only be a moment. */
  get silence(): string | undefined {
    return this.#silence !== undefined && this.#silence.looks >= 3 ? this.#silence.why : undefined;
  }

  refuse(why: string): void {
    this.#silence = { looks: Infinity, why };
  }

  /**
   * One look. `before`: what fired when the attempt began, where that was asked for. `hadTraffic`: the new version has had
   * requests; what the very first look finds before that is no doing of the release either.
   */
  take(
    now: Fetched<readonly NamedAlert[]>,
    before: readonly NamedAlert[] | undefined,
    hadTraffic: boolean,
    nowMs: number,
  ): void {
    if (now.kind === 'down') return this.#fail(now.sentence);
    this.#silence = undefined;
    if (before !== undefined)
      this.#before ??= new Set([...before, ...(hadTraffic ? [] : now.value)].map(({ id }) => id));
    const isInARow = nowMs - (this.#lookedMs ?? -Infinity) <= staleAfterMs;
    this.#lookedMs = nowMs;
    this.#fires = this.#burning(now.value, isInARow, nowMs);
    this.#before = this.#before && new Set([...this.#before].filter((id) => this.#fires.has(id)));
  }

  /** Those that count at this moment. */
  firing(nowMs: number): readonly FiringAlert[] {
    if (nowMs - (this.#lookedMs ?? -Infinity) > staleAfterMs) return [];
    return [...this.#fires].flatMap(([id, { name, sinceMs, looks }]): readonly FiringAlert[] => {
      const isOld = this.#before?.has(id) ?? true;
      if (looks === 0 || (isOld && !this.watched.alsoIfBefore)) return [];
      const since = isOld ? 'has fired since before this release began' : `has fired for ${ageWords(nowMs - sinceMs)}`;
      return [
        {
          do: looks >= looksForRollback ? this.watched.do : 'hold',
          sentence: `alert ${name} ${since}`,
          firingForMs: nowMs - sinceMs,
        },
      ];
    });
  }

  /** Names of those that fire and are not held against the release. */
  get excused(): readonly string[] {
    if (this.watched.alsoIfBefore) return [];
    return [...this.#fires].flatMap(([id, { name, looks }]) => (looks > 0 && this.#before?.has(id) ? [name] : []));
  }

  #fail(why: string): void {
    this.#silence = { looks: (this.#silence?.looks ?? 0) + 1, why };
  }

  /** What fires now, and what has been missing for too short a time to have stopped. */
  #burning(now: readonly NamedAlert[], isInARow: boolean, nowMs: number): ReadonlyMap<string, Fire> {
    const seen = now.map(({ id, name }): readonly [string, Fire] => {
      const known = this.#fires.get(id);
      const looks = isInARow ? (known?.looks ?? 0) : 0;
      return [id, { name, sinceMs: known?.sinceMs ?? nowMs, looks: looks + 1, missed: 0 }];
    });
    const ids = new Set(now.map(({ id }) => id));
    const missing = this.#known(nowMs).flatMap(([id, fire]): readonly (readonly [string, Fire])[] =>
      ids.has(id) || fire.missed + 1 >= looksToStop ? [] : [[id, { ...fire, looks: 0, missed: fire.missed + 1 }]],
    );
    return new Map([...missing, ...seen]);
  }

  /** Those of before that were never seen since count as missing too. */
  #known(nowMs: number): readonly (readonly [string, Fire])[] {
    const unseen = [...(this.#before ?? [])].filter((id) => !this.#fires.has(id));
    return [...this.#fires, ...unseen.map((id) => [id, { name: '', sinceMs: nowMs, looks: 0, missed: 0 }] as const)];
  }
}

function firesIn(saved: unknown): readonly { readonly id: string; readonly sinceMs: number; readonly name: string }[] {
  const all: readonly unknown[] = Array.isArray(saved) ? saved : [];
  return all.flatMap((one) => {
    const [id, sinceMs, name]: readonly unknown[] = Array.isArray(one) ? one : [];
    const isFire = typeof id === 'string' && typeof sinceMs === 'number' && typeof name === 'string';
    return isFire ? [{ id, sinceMs, name }] : [];
  });
}

/** Rounded down, so that a sentence does not change with every look. */
function ageWords(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 10) return 'less than 10s';
  if (seconds < 120) return `${Math.floor(seconds / 10) * 10}s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3_600)}h`;
}
