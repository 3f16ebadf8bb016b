/** Turns the log of the load generator into the figures of the stories; it knows no cluster. */
import type { LoadResult, RequestRecord } from '../../cluster/load.ts';
import type { Checks } from './story.ts';

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Requests without an answer of the application: lost on the way, or answered by the gateway instead. */
function unserved(load: LoadResult, { fromMs, toMs }: Stretch): RequestRecord[] {
  return load.within({ from: fromMs, to: toMs }).filter(({ version }) => version === '');
}

/** "timeout 3, 503 12 (first 04:10:11.200, last 04:10:12.900)". */
function describeRecords(records: readonly RequestRecord[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of records) counts.set(String(outcome), (counts.get(String(outcome)) ?? 0) + 1);
  const listed = [...counts].map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
  return `${listed} (first ${timeOf(records[0])}, last ${timeOf(records.at(-1))})`;
}

/** Counts what was not served; there should be none. */
export function countLost(load: LoadResult, stretch: Stretch, checks: Checks): number {
  const lost = unserved(load, stretch);
  checks.expect(lost.length === 0, describeLost(load, lost, stretch));
  return lost.length;
}

/**
 * What was not served, as a sentence. Where the generator itself stood still, as on a machine that is too busy, its timeouts
 * say nothing about the cluster: the sentence says so.
 */
function describeLost(load: LoadResult, records: readonly RequestRecord[], stretch: Stretch): string {
  const stillMs = longestStandstillMs(load, stretch);
  const doubt =
    stillMs < 1000
      ? ''
      : `; the load generator stood still for ${(stillMs / 1000).toFixed(1)} s: is the machine too busy?`;
  return `${records.length} requests were not served: ${describeRecords(records)}${doubt}`;
}

/** The longest time between two requests that were sent one after the other. */
function longestStandstillMs(load: LoadResult, { fromMs, toMs }: Stretch): number {
  const times = load.within({ from: fromMs, to: toMs }).map(({ sentAt }) => sentAt);
  return times.reduce((longest, atMs, index) => Math.max(longest, atMs - (times[index - 1] ?? atMs)), 0);
}

function timeOf(record: RequestRecord | undefined): string {
  return new Date(record?.sentAt ?? 0).toISOString().slice(11, 23);
}

export interface BadRelease {
  /** Answers of the bad version with a status of 500 or more. */
  readonly badAnswers: number;
  readonly firstBadAtMs: number;
  /** From the first bad answer until the version's part of the requests fell, as the client sees it. */
  readonly loweredAfterMs: number | undefined;
  readonly lastCanaryAfterMs: number;
}

/** What a client sees of a release that goes back. Undefined when the version never gave a bad answer. */
export function measureBadRelease(
  load: LoadResult,
  version: string,
  weightPercent: number,
  { fromMs, toMs }: Stretch,
): BadRelease | undefined {
  const span = { from: fromMs, to: toMs };
  const first = load.firstBadAnswer(version, span);
  const last = load.lastAnswerOf(version, span);
  if (first === undefined || last === undefined) return undefined;
  // The gateway's round robin is even, so a second with a third of the version's share is no accident.
  const below = (0.35 * weightPercent) / 100;
  const loweredAtMs = load.firstTimeShareBelow(version, below, { from: first.sentAt, forMs: 1000 });
  return {
    badAnswers: load.badAnswers(version, span).length,
    firstBadAtMs: first.doneAt,
    loweredAfterMs: loweredAtMs === undefined ? undefined : loweredAtMs - first.doneAt,
    lastCanaryAfterMs: last.doneAt - first.doneAt,
  };
}

/** A stretch of time in which the canary was entitled to this part of the requests. */
export interface Entitlement extends Stretch {
  readonly weightPercent: number;
}

/** Canary answers beyond what each weight and four standard deviations of chance allow, as sentences. */
export function aboveEntitlement(load: LoadResult, version: string, stretches: readonly Entitlement[]): string[] {
  return stretches.flatMap(({ fromMs, toMs, weightPercent }) => {
    const span = { from: fromMs, to: toMs };
    const sent = load.within(span).length;
    const got = load.answersOf(version, span).length;
    const part = weightPercent / 100;
    const allowed = Math.floor(sent * part + 4 * Math.sqrt(sent * part * (1 - part)));
    if (part >= 1 || got <= allowed) return [];
    const seconds = ((toMs - fromMs) / 1000).toFixed(1);
    return [
      `${got} of ${sent} requests in ${seconds} s went to ${version} at a weight of ${weightPercent}% (at most ${allowed})`,
    ];
  });
}

/** NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function maximum(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.max(...values);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
