// Writes down what has happened to a judge and reads it back, bit for bit. What cannot be read back throws, and then nothing
// at all is restored.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { JudgeEvent } from '../analysis/course.ts';
import type { Window } from '../analysis/engine.ts';
import type { Counts } from '../analysis/errors.ts';
import type { Histogram } from '../analysis/histogram.ts';
import type { EngineName } from '../analysis/judge.ts';

/** Numbers are written in the shortest form that reads back as the same number. */
type Row =
  | readonly ['window', EngineName, readonly number[], readonly number[], SavedHistograms | 0]
  | readonly ['step', string, number]
  | readonly ['mode', 'twoArms' | 'bake', number];

/** The bounds but the last, which is Infinity, and the counts of the canary, of stable and of each group. */
type SavedHistograms = readonly [readonly number[], ...(readonly number[])[]];

/** A status that somebody has edited may hold anything. */
const largestBytes = 1024 * 1024;

export function savedEvents(events: readonly JudgeEvent[]): string {
  return events.length === 0 ? '' : deflateRawSync(JSON.stringify(events.map(rowOf))).toString('base64');
}

export function eventsIn(text: string): readonly JudgeEvent[] {
  if (text === '') return [];
  const json = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: largestBytes }).toString();
  const rows: unknown = JSON.parse(json);
  if (!Array.isArray(rows)) throw new Error('the saved events are no list');
  return rows.map((row) => eventOf(row as Row));
}

function rowOf(event: JudgeEvent): Row {
  if (event.kind === 'step') return ['step', event.key, event.atMs];
  if (event.kind === 'mode') return ['mode', event.mode, event.atMs];
  const { startMs, endMs, lengthMs, plannedShare, canary, stable, canaryGroups, latency } = event.window;
  const times = [startMs, endMs, lengthMs, ...(plannedShare === undefined ? [] : [plannedShare])];
  const counts = [canary, stable, ...canaryGroups].flatMap(({ requests, errors }) => [requests, errors]);
  const histograms = latency
    ? ([
        latency.canary.upperBounds.slice(0, -1),
        ...[latency.canary, latency.stable, ...latency.canaryGroups].map((one) => one.counts),
      ] as const)
    : 0;
  return ['window', event.reader, times, counts, histograms];
}

function eventOf(row: Row): JudgeEvent {
  switch (row[0]) {
    case 'step':
      return { kind: 'step', key: row[1], atMs: finite(row[2]) };
    case 'mode':
      return { kind: 'mode', mode: row[1] === 'bake' ? 'bake' : 'twoArms', atMs: finite(row[2]) };
    case 'window':
      return { kind: 'window', reader: row[1], window: windowOf(row[2], row[3], row[4]) };
    default:
      throw new Error('a saved event is of no known kind');
  }
}

function windowOf(
  [startMs, endMs, lengthMs, plannedShare]: readonly number[],
  numbers: readonly number[],
  histograms: SavedHistograms | 0,
): Window {
  const [canary, stable, ...canaryGroups] = countsFrom(numbers);
  if (!canary || !stable) throw new Error('a saved window is incomplete');
  return {
    startMs: finite(startMs),
    endMs: finite(endMs),
    lengthMs: finite(lengthMs),
    canary,
    stable,
    canaryGroups,
    ...(plannedShare === undefined ? {} : { plannedShare: finite(plannedShare) }),
    ...(histograms === 0 ? {} : { latency: latencyFrom(histograms) }),
  };
}

function latencyFrom([finiteBounds, ...all]: SavedHistograms): NonNullable<Window['latency']> {
  const upperBounds = [...finiteBounds.map(finite), Infinity];
  const [canary, stable, ...canaryGroups] = all.map((counts): Histogram => {
    if (counts.length !== upperBounds.length) throw new Error('a saved histogram is incomplete');
    return { upperBounds, counts: counts.map(finite) };
  });
  if (!canary || !stable) throw new Error('the histograms of a saved window are incomplete');
  return { canary, stable, canaryGroups };
}

function countsFrom(numbers: readonly number[]): readonly Counts[] {
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, index) => ({
    requests: finite(numbers[index * 2]),
    errors: finite(numbers[index * 2 + 1]),
  }));
}

function finite(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error('a saved number is not a number');
  return value;
}
