// Owns how many errors come at once in a service, from what pods of one version counted before a release. It never looks at
// a release, and what all pods have in common is no clump.
import { type Past, blocksOf, coarser } from './past.ts';

interface Dispersion {
  /** Errors that come at once: at least 1, and never less than is supposed where nothing is known. */
  readonly clumping: number;
  /** Errors that it rests on. */
  readonly errors: number;
}

/** A clump shows at the length at which its errors come together; pods that differ for minutes show at the longest. */
const lengthsMs = [15_000, 60_000, 300_000];
/** Chance alone exceeds so many of its own standard deviations once in forty times. */
const deviations = 2;
/** Fewer errors never bring the supposition down. */
const fewErrors = 20;
/**
 * What is supposed weighs as much as so many errors. Where all that were seen came alone, what comes of it is about the 95 %
 * upper bound for clumps of geometric size: 1.33 after 20 errors, 1.22 after 36, 1.03 after 360.
 */
const supposedErrors = 10;

/**
 * φ = Σ(E − μ)² / Σμ(1 − s) over pods and blocks: E errors of a pod, s its share of the block's requests, and μ = s · all
 * errors of the block, so that whatever hits all pods alike (an incident, a rush hour) is no dispersion. It is 1 on average
 * when errors come alone, however few: given their number, each falls on a pod with chance s. For clumps that fall on one pod
 * it is E[size²] / E[size], the variance of the counts over their mean. The largest of three lengths counts; one that chance
 * explains counts as 1, and one that it does not gets a standard deviation on top, by how much the blocks differ among
 * themselves. Below `supposed` it is drawn towards it by how little was seen.
 */
export function dispersionOf(past: Past, supposed: number): Dispersion {
  const all = lengthsMs.map((lengthMs) => spreadOf(coarser(past, blocksOf(lengthMs, past))));
  const errors = Math.max(...all.map((spread) => spread.errors));
  const known = Math.max(...all.map((spread) => spread.expected));
  const found = Math.max(1, ...all.map(upperRatio));
  if (found >= supposed) return { clumping: found, errors };
  if (known < fewErrors) return { clumping: supposed, errors };
  return { clumping: (found * known + supposed * supposedErrors) / (known + supposedErrors), errors };
}

interface Spread {
  readonly errors: number;
  /** Σ(E − μ)², what it is on average when errors come alone, and its variance then. */
  readonly seen: number;
  readonly expected: number;
  readonly variance: number;
  /** Both for each block with errors. */
  readonly blocks: readonly (readonly [seen: number, expected: number])[];
}

function upperRatio({ seen, expected, variance, blocks }: Spread): number {
  if (expected <= 0) return 1;
  const ratio = seen / expected;
  if (ratio - 1 <= (deviations * Math.sqrt(variance)) / expected) return 1;
  const squares = blocks.reduce((sum, [one, other]) => sum + (one - ratio * other) ** 2, 0);
  return ratio + Math.sqrt(squares) / expected;
}

function spreadOf({ pods }: Past): Spread {
  const blocks: (readonly [number, number])[] = [];
  let [errors, seen, expected, variance] = [0, 0, 0, 0];
  for (let block = 0; block < (pods[0]?.length ?? 0); block += 1) {
    const sums = sumsIn(pods, block);
    if (sums.pods < 2 || sums.errors === 0 || sums.requests === 0) continue;
    const [own, ownExpected, coincidence] = squaresIn(pods, block, sums);
    blocks.push([own, ownExpected]);
    errors += sums.errors;
    seen += own;
    expected += ownExpected;
    // Of the pairs of errors, each is on one pod with this chance.
    variance += 2 * sums.errors * Math.max(0, sums.errors - 1) * coincidence * (1 - coincidence);
  }
  return { errors, seen, expected, variance, blocks };
}

interface Sums {
  readonly pods: number;
  readonly requests: number;
  readonly errors: number;
}

function sumsIn(pods: Past['pods'], block: number): Sums {
  let [present, requests, errors] = [0, 0, 0];
  for (const own of pods) {
    const counts = own[block];
    if (!counts) continue;
    present += 1;
    requests += counts.requests;
    errors += counts.errors;
  }
  return { pods: present, requests, errors };
}

function squaresIn(pods: Past['pods'], block: number, { requests, errors }: Sums): readonly [number, number, number] {
  let [squares, coincidence] = [0, 0];
  for (const own of pods) {
    const counts = own[block];
    if (!counts) continue;
    const share = counts.requests / requests;
    squares += (counts.errors - errors * share) ** 2;
    coincidence += share ** 2;
  }
  return [squares, errors * (1 - coincidence), coincidence];
}
