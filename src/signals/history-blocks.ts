// Turns samples of the past into what each pod counted, block by block. A pod that was not scraped at both ends of a block
// says nothing about it.
import { type Counts, addCounts, noCounts } from '../analysis/errors.ts';
import { isNewSince } from './increments.ts';
import type { Counter, Target } from './picture.ts';

/** A piece of the past, divided evenly; times are the metric source's. */
interface Piece {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly blockMs: number;
  /** Usual time between scrapes. */
  readonly intervalMs: number;
}

export type Blocks = readonly (Counts | undefined)[];

/** A scrape may be a little late. */
const lateIntervals = 1.9;

/** By name of the pod; none for a target that is no pod of the old version. */
export function blocksOfPods(targets: readonly Target[], piece: Piece): ReadonlyMap<string, Blocks> {
  return new Map(
    targets.flatMap((target) =>
      target.pod && target.arm === 'stable' ? [[target.pod.name, blocksOf(target, piece)] as const] : [],
    ),
  );
}

function blocksOf(target: Target, piece: Piece): Blocks {
  const upTo = countedUpTo(target, piece.intervalMs);
  const count = Math.round((piece.untilMs - piece.fromMs) / piece.blockMs);
  const edges = Array.from({ length: count + 1 }, (_, edge) =>
    placeAt(target.scrapesMs, piece.fromMs + edge * piece.blockMs, piece.intervalMs),
  );
  return Array.from({ length: count }, (_, block) => {
    const [from, to] = [edges[block], edges[block + 1]];
    if (from === undefined || to === undefined || to <= from) return undefined;
    const [before, after] = [upTo[from] ?? noCounts, upTo[to] ?? noCounts];
    return { requests: after.requests - before.requests, errors: after.errors - before.errors };
  });
}

/** The scrape that stands for a moment: the last one before it, if it is not too old. */
function placeAt(scrapesMs: readonly number[], atMs: number, intervalMs: number): number | undefined {
  const place = scrapesMs.findLastIndex((scrapeMs) => scrapeMs <= atMs);
  const scrapeMs = scrapesMs[place];
  return scrapeMs !== undefined && atMs - scrapeMs <= lateIntervals * intervalMs ? place : undefined;
}

/** What was counted by each scrape, since the first of them. */
function countedUpTo(target: Target, intervalMs: number): readonly Counts[] {
  const places = new Map(target.scrapesMs.map((atMs, place) => [atMs, place]));
  const grown: Counts[] = target.scrapesMs.map(() => noCounts);
  for (const counter of target.counters) addGrowth(grown, counter, places, target.scrapesMs, intervalMs);
  let sum = noCounts;
  return grown.map((counts) => (sum = addCounts(sum, counts)));
}

function addGrowth(
  grown: Counts[],
  { samples, isBad, counts }: Counter,
  places: ReadonlyMap<number, number>,
  scrapesMs: readonly number[],
  intervalMs: number,
): void {
  let previous: number | undefined;
  for (const { atMs, value } of samples) {
    const place = places.get(atMs);
    // What was born at a scrape counts in full; what was there at the first scrape is where counting begins.
    const before = previous ?? (isNewSince(scrapesMs, atMs, intervalMs) ? 0 : value);
    const growth = value < before ? value : value - before;
    previous = value;
    if (place === undefined || growth === 0) continue;
    grown[place] = addCounts(grown[place] ?? noCounts, {
      requests: counts === 'requests' ? growth : 0,
      errors: isBad ? growth : 0,
    });
  }
}
