// Reads what the old version's pods counted before an attempt began, piece by piece from the newest on. It is bounded in time,
// and whatever goes wrong means that less is known: never an outage, never a verdict (S7).
import { type Calibration, calibrationOf } from '../analysis/calibration.ts';
import type { EngineName } from '../analysis/judge.ts';
import type { CountMetric } from '../analysis/metric.ts';
import { type Past, blocksIn } from '../analysis/past.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import type { Clock } from '../kube/clock.ts';
import { type Fetched, whyDown } from './fetched.ts';
import { type Blocks, blocksOfPods } from './history-blocks.ts';
import type { Learned } from './learned.ts';
import { type Choice, type KnownPod, type Picture, pictureOf } from './picture.ts';
import type { Preset } from './presets/preset.ts';
import type { Answered } from './prometheus-body.ts';
import type { PastSpan } from './prometheus.ts';
import { asSecond } from './series.ts';

export interface Wanted {
  readonly metric: CountMetric;
  /** Who counts it pod by pod; none where pods are not told apart. */
  readonly readers: readonly WantedReader[];
}

export interface WantedReader {
  readonly name: EngineName;
  readonly preset: Preset;
  /** What is read of the present. */
  readonly choice: Choice | undefined;
}

export interface HistoryAsked {
  readonly settings: JudgeSettings;
  readonly wanted: readonly Wanted[];
  /** Of the old version. */
  readonly pods: ReadonlyMap<string, KnownPod>;
  /** The beginning of the attempt, on the metric source's clock. */
  readonly untilMs: number;
  /** Of how many pods the new version has at first. */
  readonly canaryPods: number;
}

export type FetchPast = (selector: string, span: PastSpan, signal: AbortSignal) => Promise<Fetched<Answered>>;

export interface HistoryParts {
  readonly fetch: FetchPast;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

const hourMs = 3_600_000;
const longestMs = 24 * hourMs;
/** All of it, whatever the source does. */
const patienceMs = 8_000;
/** Beyond the first hour only what is had for this time. */
const cheapMs = 2_000;
const firstPieceMs = 600_000;
const longestPieceMs = hourMs;
/** Pieces grow while they hold fewer samples. */
const fewSamples = 40_000;
/** The last scrape before a piece is needed too. */
const overlapMs = 150_000;
/** The shortest that holds a scrape; a piece is a multiple of each. */
const blockLengthsMs = [15_000, 30_000, 60_000];

export async function learnedFrom(asked: HistoryAsked, parts: HistoryParts, signal: AbortSignal): Promise<Learned> {
  const limit = new AbortController();
  const timer = parts.clock.after(patienceMs, () => limit.abort());
  const sinceMs = parts.clock.monotonicMs();
  try {
    const calibrations: Calibration[] = [];
    const unknown: Learned['unknown'][number][] = [];
    for (const wanted of asked.wanted) {
      const found = await learnedOf(wanted, asked, { ...parts, sinceMs }, AbortSignal.any([signal, limit.signal]));
      if (typeof found === 'string') unknown.push({ metric: wanted.metric.name, why: found });
      else calibrations.push(found);
    }
    return { calibrations, unknown };
  } finally {
    timer.cancel();
  }
}

interface Timed extends HistoryParts {
  readonly sinceMs: number;
}

/** Of several that count the same, the one that knows of the largest clumps. */
async function learnedOf(
  { metric, readers }: Wanted,
  asked: HistoryAsked,
  parts: Timed,
  signal: AbortSignal,
): Promise<Calibration | string> {
  let most: Calibration | string = 'it is not counted pod by pod';
  for (const reader of readers) {
    const past = await pastOf(reader, asked, parts, signal);
    if (typeof past === 'string') {
      if (typeof most === 'string') most = past;
      continue;
    }
    const found = calibrationOf(metric, past, asked.canaryPods, asked.settings);
    if (typeof most === 'string' || found.clumping > most.clumping) most = found;
  }
  return most;
}

/** What of the past was read, or why nothing was. */
async function pastOf(
  reader: WantedReader,
  asked: HistoryAsked,
  parts: Timed,
  signal: AbortSignal,
): Promise<Past | string> {
  const pieces: ReadonlyMap<string, Blocks>[] = [];
  let way = await wayTo(reader, asked, parts, signal);
  if (typeof way === 'string') return way;
  const { blockMs } = way;
  let untilMs = asked.untilMs;
  let lengthMs = firstPieceMs;
  for (;;) {
    const piece = { fromMs: untilMs - lengthMs, untilMs, blockMs, intervalMs: way.intervalMs };
    const blocks = blocksOfPods(way.picture.targets, piece);
    if (![...blocks.values()].some((own) => own.some((counts) => counts))) break;
    pieces.unshift(blocks);
    untilMs -= lengthMs;
    const seenMs = asked.untilMs - untilMs;
    if (way.samples < fewSamples) lengthMs = Math.min(longestPieceMs, lengthMs * 2);
    const isCheap = parts.clock.monotonicMs() - parts.sinceMs < cheapMs;
    if (seenMs + lengthMs > longestMs || (seenMs >= hourMs && !isCheap) || signal.aborted) break;
    const next = await look(reader, way.selector, { fromMs: untilMs - lengthMs, untilMs }, asked, parts, signal);
    if (typeof next === 'string' || !next.picture.hasStableRequests) break;
    way = { ...way, ...next };
  }
  const past = joined(pieces, blockMs);
  if (blocksIn(past) === 0) return 'its pods have not run for long enough';
  return past.pods.length < 2 ? 'it takes two pods to tell clumps from rush hours' : past;
}

interface Look {
  readonly picture: Picture;
  readonly samples: number;
}

interface WayTo extends Look {
  readonly selector: string;
  readonly blockMs: number;
  readonly intervalMs: number;
}

/** The selector that has something to say, and what it says of the newest piece. */
async function wayTo(
  reader: WantedReader,
  asked: HistoryAsked,
  parts: HistoryParts,
  signal: AbortSignal,
): Promise<WayTo | string> {
  const { untilMs } = asked;
  for (const selector of reader.preset.selectors) {
    const seen = await look(reader, selector, { fromMs: untilMs - firstPieceMs, untilMs }, asked, parts, signal);
    if (typeof seen === 'string') return seen;
    const { hasStableRequests, intervalMs } = seen.picture;
    if (!hasStableRequests) continue;
    if (intervalMs === undefined) return 'its pods were scraped only once';
    const blockMs = blockLengthsMs.find((lengthMs) => lengthMs >= intervalMs * 0.9);
    return blockMs === undefined ? 'its pods are scraped too seldom' : { ...seen, selector, intervalMs, blockMs };
  }
  return 'the metric source has no such counters of the time before';
}

async function look(
  { preset, choice }: WantedReader,
  selector: string,
  span: PastSpan,
  { pods }: HistoryAsked,
  { fetch }: HistoryParts,
  signal: AbortSignal,
): Promise<Look | string> {
  const wide = { fromMs: span.fromMs - overlapMs, untilMs: span.untilMs };
  const first = await fetch(selector, wide, signal);
  if (first.kind === 'down') return whyDown(first);
  const other = preset.second === undefined ? undefined : await fetch(preset.second, wide, signal);
  if (other?.kind === 'down') return whyDown(other);
  const series = [...first.value.series, ...asSecond(other?.value.series ?? [])];
  const samples = series.reduce((sum, one) => sum + one.samples.length, 0);
  return { picture: pictureOf(series, preset, pods, choice), samples };
}

/** In order of time; a pod that was not there yet has holes. */
function joined(pieces: readonly ReadonlyMap<string, Blocks>[], blockMs: number): Past {
  const names = [...new Set(pieces.flatMap((piece) => [...piece.keys()]))].toSorted();
  const lengths = pieces.map((piece) => Math.max(0, ...[...piece.values()].map((own) => own.length)));
  const pods = names.map((name) =>
    pieces.flatMap(
      (piece, place): Blocks => piece.get(name) ?? Array.from({ length: lengths[place] ?? 0 }, () => undefined),
    ),
  );
  return { blockMs, pods };
}
