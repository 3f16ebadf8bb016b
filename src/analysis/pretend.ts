// Plays releases that never were: some of the old version's pods are taken for a new version, and the engine looks at them.
// What it finds is wrong by construction; it decides nothing.
import type { ArmCounts, Counts } from './errors.ts';
import { harmAfter, logHarm, openHarm } from './harm.ts';
import { unlimited } from './mixture.ts';
import { type Past, blocksIn, blocksOf, coarser } from './past.ts';
import type { Terms } from './settings.ts';

export interface Pretended {
  readonly releases: number;
  /** The highest evidence of harm that any of them ever reached, without any bound per window. */
  readonly logHighest: number;
}

/** Longer than a usual window: the evidence is the same, and a quarter of the work. */
const windowMs = 60_000;
const releaseMs = 3_600_000;
/** A shorter rest of the past is no release. */
const shortestMs = 900_000;
/** Of a large fleet, or of a long past, some releases are enough. */
const mostReleases = 64;

/**
 * Each group of `canaryPods` pods in turn against all others, an hour at a time. On the right terms each of these reaches
 * 1/α with a chance of α at most, so that one that does says that the terms are not right.
 */
export function pretendReleases(past: Past, canaryPods: number, terms: Terms): Pretended {
  const minutes = coarser(past, blocksOf(windowMs, past));
  const blocks = blocksIn(minutes);
  const perRelease = blocksOf(releaseMs, minutes);
  let [releases, logHighest] = [0, 0];
  for (const { canary, from } of chosen(groupsOf(minutes, canaryPods), hoursOf(minutes, blocks, perRelease))) {
    const logReached = highestOf(minutes, canary, from, Math.min(blocks, from + perRelease), terms);
    if (logReached === undefined) continue;
    releases += 1;
    logHighest = Math.max(logHighest, logReached);
  }
  return { releases, logHighest };
}

interface Pretend {
  readonly canary: ReadonlySet<number>;
  readonly from: number;
}

/** Spread over groups and hours alike. */
function chosen(groups: readonly ReadonlySet<number>[], hours: readonly number[]): readonly Pretend[] {
  const all = hours.flatMap((from) => groups.map((canary) => ({ canary, from })));
  const each = Math.max(1, all.length / mostReleases);
  return Array.from({ length: Math.floor(all.length / each) }, (_, place) => all[Math.floor(place * each)]).filter(
    (one) => one !== undefined,
  );
}

function hoursOf(past: Past, blocks: number, perRelease: number): readonly number[] {
  const least = blocksOf(shortestMs, past);
  return Array.from({ length: Math.ceil(blocks / perRelease) }, (_, hour) => hour * perRelease).filter(
    (from) => blocks - from >= least,
  );
}

/** By their places; none where too few pods would be left to compare with. */
function groupsOf({ pods }: Past, canaryPods: number): readonly ReadonlySet<number>[] {
  if (pods.length < 2) return [];
  const size = Math.max(1, Math.min(canaryPods, Math.floor(pods.length / 2)));
  return Array.from(
    { length: Math.floor(pods.length / size) },
    (_, group) => new Set(Array.from({ length: size }, (__, place) => group * size + place)),
  );
}

/** Undefined where the group was not there. */
function highestOf(
  past: Past,
  canary: ReadonlySet<number>,
  from: number,
  to: number,
  terms: Terms,
): number | undefined {
  let [evidence, highest, isThere] = [openHarm(terms), 0, false];
  for (let block = from; block < to; block += 1) {
    const arms = armsIn(past, canary, block);
    isThere ||= arms.canary.requests > 0;
    evidence = harmAfter(evidence, arms, past.blockMs, terms, unlimited);
    highest = Math.max(highest, logHarm(evidence));
  }
  return isThere ? highest : undefined;
}

function armsIn({ pods }: Past, canary: ReadonlySet<number>, block: number): ArmCounts {
  const arms = { canary: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } };
  for (const [place, own] of pods.entries()) {
    const counts: Counts | undefined = own[block];
    if (!counts) continue;
    const arm = canary.has(place) ? arms.canary : arms.stable;
    arm.requests += counts.requests;
    arm.errors += counts.errors;
  }
  return arms;
}
