/** Draws one Rollout: again and again in place for a person, one line a change for a pipe. It never says the same twice to a pipe. */
import { REASONS } from '../api/reasons.ts';
import type { Clock } from '../kube/clock.ts';
import { percent } from '../release/weights.ts';
import { flagLine } from './flag-words.ts';
import type { RolloutObject } from './objects.ts';
import { isStalled } from './outcome.ts';
import { spanOf } from './table.ts';
import { type Colour, painted, type Terminal } from './terminal.ts';

/** Two states with the same key differ in counts and words only, not in where the release stands. */
export function changeKey({ status }: RolloutObject): string {
  return JSON.stringify([
    status?.phase,
    status?.reason,
    status?.step,
    status?.verdict,
    status?.stable?.hash,
    status?.canary?.hash,
    status?.canary?.weight,
    isStalled(status),
    status?.journal?.flags?.map(({ id, state }) => [id, state]),
    status?.journal?.attempt?.ladder?.rung,
  ]);
}

export class Picture {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #key: string | undefined;
  #sinceMs = 0;
  #linesDrawn = 0;
  /** How far each flag had come when it was last told. */
  #flags: ReadonlyMap<string, string> = new Map();

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  show(rollout: RolloutObject | undefined): void {
    if (rollout === undefined) return;
    const key = changeKey(rollout);
    const isNews = key !== this.#key;
    if (isNews) [this.#key, this.#sinceMs] = [key, this.#clock.monotonicMs()];
    if (this.#terminal.isInteractive)
      this.#redraw(
        frameOf(
          rollout,
          { sinceMs: this.#clock.monotonicMs() - this.#sinceMs, nowMs: this.#clock.nowMs() },
          this.#terminal,
        ),
      );
    else if (isNews) this.#terminal.print(this.#lines(rollout).join('\n'));
  }

  /** The line of the Rollout, and one for each flag that has come further since the last. */
  #lines(rollout: RolloutObject): string[] {
    const nowMs = this.#clock.nowMs();
    const flags = rollout.status?.journal?.flags ?? [];
    const news = flags.filter(({ id, state }) => this.#flags.get(id) !== state);
    this.#flags = new Map(flags.map(({ id, state }) => [id, state]));
    return [lineOf(rollout, nowMs), ...news.map((entry) => `${timeOf(nowMs)}  ${flagLine(entry, nowMs)}`)];
  }

  #redraw(lines: readonly string[]): void {
    const back = this.#linesDrawn === 0 ? '' : `\u001B[${this.#linesDrawn}F\u001B[J`;
    this.#terminal.draw(`${back}${lines.join('\n')}\n`);
    this.#linesDrawn = lines.length;
  }
}

/** Time, phase, reason, weight, sentence: one line, whatever the sentence has in it. */
function lineOf({ status }: RolloutObject, nowMs: number): string {
  const weight = status?.canary === undefined ? '-' : percent(status.canary.weight);
  const words = (status?.message ?? 'Serin has not looked at it yet.').replaceAll(/\s+/g, ' ');
  return [timeOf(nowMs), status?.phase ?? '-', status?.reason ?? '-', weight, words].join('  ');
}

function timeOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

const barWidth = 40;

function frameOf(
  rollout: RolloutObject,
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
  terminal: Terminal,
): string[] {
  const { status, metadata } = rollout;
  const { stable, canary } = status ?? {};
  const phase = status?.phase ?? 'Unknown';
  const step = status?.step === undefined ? '' : `  step ${status.step}`;
  const head = `${painted(terminal, 'bold', `${metadata.namespace ?? ''}/${metadata.name}`)}  ${painted(terminal, colourOf(rollout), phase)}  ${status?.reason ?? ''}${step}  for ${spanOf(sinceMs)}`;
  const arms = [
    ...(stable === undefined ? [] : [`  stable  ${stable.hash}  ${stable.image}`]),
    ...(canary === undefined
      ? []
      : [
          `  canary  ${canary.hash}  ${canary.image}  ${canary.ready} of ${canary.replicas} pods ready`,
          `  ${barOf(canary.weight)}`,
        ]),
  ];
  const told = [
    status?.message ?? 'Serin has not looked at it yet.',
    ...(status?.journal?.flags ?? []).map((entry) => flagLine(entry, nowMs)),
  ];
  const words = told.flatMap((line) => wrapped(line, terminal.columns - 2)).map((text) => `  ${text}`);
  return [head, ...arms.map((line) => line.slice(0, terminal.columns - 1)), ...words];
}

function barOf(weight: number): string {
  const filled = Math.min(barWidth, Math.round((weight * barWidth) / 100));
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${percent(weight)} of requests go to the canary`;
}

function colourOf({ status }: RolloutObject): Colour {
  if (status?.phase === 'RolledBack' || status?.phase === 'RollingBack') return 'red';
  if (isStalled(status) || status?.phase === 'Braked') return 'yellow';
  const move = Object.entries(REASONS).find(([reason]) => reason === status?.reason)?.[1][0];
  return move === 'none' ? 'green' : 'cyan';
}

/** A terminal that wraps by itself would make the number of drawn lines unknown. */
export function wrapped(words: string, width: number): string[] {
  const lines = [''];
  for (const word of words.split(/\s+/)) {
    const last = lines.length - 1;
    const longer = `${lines[last] ?? ''} ${word}`.trimStart();
    if (longer.length <= width || lines[last] === '') lines[last] = longer.slice(0, Math.max(10, width));
    else lines.push(word.slice(0, Math.max(10, width)));
  }
  return lines;
}
