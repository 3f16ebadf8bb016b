// Owns the bets on a canary that is slower than tolerated, for one window of histograms. It never looks back: which bets
// are made is decided from what stable did before the window, so that no bet can be chosen to suit the window.
import { type Margin, logWindowEvidence } from './errors.ts';
import { type Histogram, countsBetween, growthFactor, requestsIn, slowerThan } from './histogram.ts';
import { nonDecreasing } from './isotonic.ts';
import { logSpaced } from './mixture.ts';

export type SpeedBets = ShapeBets | ShareBets;

/** Bets on the whole shape, where buckets are finer than what is tolerated. */
export interface ShapeBets {
  readonly kind: 'shape';
  /** Where the cells end: for the canary a tolerated factor above stable's, because its requests may take that much longer. */
  readonly canaryBounds: readonly number[];
  readonly stableBounds: readonly number[];
  /** For each bet a non-decreasing stake per cell. */
  readonly stakes: readonly (readonly number[])[];
  readonly logStakes: readonly (readonly number[])[];
}

/** Bets on the share of requests beyond each of a few boundaries, where buckets are coarse. */
export interface ShareBets {
  readonly kind: 'share';
  readonly boundaries: readonly number[];
  readonly margin: Margin;
}

// Bound here because a look-up of a global costs more than the logarithm in some hosts.
const { log } = Math;

const factors = [1.1, 1.25, 1.5, 2, 3, 5, 10] as const;
const shares = [1, 0.3, 0.1, 0.03, 0.01] as const;
/** As many bets of either kind, so that a bankroll can go on when the buckets change. */
export const speedBets = factors.length * shares.length;

/** Where the cells of stable's requests end: so much of them is slower. More cells show no more, and cost time. */
const cellLevels = [
  0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0,
];
/** Two cells beyond everything that stable did. */
const further = [1.5, 3];
const boundaryLevels = [0.5, 0.2, 0.07, 0.02, 0.005];
const suspicions = logSpaced(1.25, 40, factors.length);
/** At a coarse boundary half a percentage point more is never held against the canary. */
const boundaryExcess = 0.005;
const lowestStake = 0.05;

/**
 * What to bet on, knowing `reference`: stable's requests before the window. Undefined when there is nothing to know from.
 * `tolerateRatio`: 1.1 is 10 % slower. On native histograms that becomes the nearest whole number of buckets, one at least, so
 * that what is tolerated is off by half a bucket at most; when one bucket is more than three times as much as was asked,
 * or the histogram is a classic one, shares beyond boundaries are judged instead.
 */
export function speedBetsFrom(reference: Histogram, tolerateRatio: number): SpeedBets | undefined {
  if (requestsIn(reference) <= 0 || reference.upperBounds.length < 2) return undefined;
  const growth = growthFactor(reference);
  const shift = growth === undefined ? Infinity : wholeBuckets(tolerateRatio, growth);
  if (growth !== undefined && shift <= 1 + 3 * (tolerateRatio - 1)) return shapeBets(reference, growth, shift);
  const margin = { ratio: 1 + 2 * (tolerateRatio - 1), excess: boundaryExcess };
  return { kind: 'share', boundaries: boundsAt(reference, boundaryLevels), margin };
}

/** The factor that so many buckets are; 1 where nothing is tolerated. */
function wholeBuckets(tolerateRatio: number, growth: number): number {
  const buckets = Math.log(tolerateRatio) / Math.log(growth);
  return growth ** (buckets > 0 ? Math.max(1, Math.round(buckets)) : 0);
}

/** What a bet looks at, of one arm: requests per cell, or all requests and those beyond each boundary. */
export function tallied(bets: SpeedBets, histogram: Histogram, arm: 'canary' | 'stable'): readonly number[] {
  if (bets.kind === 'shape')
    return arm === 'canary'
      ? countsBetween(justAboveTop(histogram), bets.canaryBounds)
      : countsBetween(histogram, bets.stableBounds);
  return [requestsIn(histogram), ...bets.boundaries.map((boundary) => slowerThan(histogram, boundary) ?? Number.NaN)];
}

/** How slow the slowest are is not known where a last bucket has no end: the canary's are taken for hardly slower than it begins. */
function justAboveTop(histogram: Histogram): Histogram {
  const { upperBounds, counts } = histogram;
  if ((counts.at(-1) ?? 0) === 0) return histogram;
  return { upperBounds: [...upperBounds.slice(0, -1), (upperBounds.at(-2) ?? 0) * 1.00001], counts };
}

/**
 * The logarithm of the window's e-value for each bet.
 *
 * Shape. Null: the canary is stochastically no slower than stable with every request a tolerated factor slower (whole
 * buckets). For cells with counts c_i and s_i, any non-decreasing stakes h, C = Σ c_i, S = Σ s_i, N = C + S:
 *   ln e = Σ c_i ln h_i − Σ (c_i + s_i) ln((C h_i + S) / N).
 * With a common law q and m_i = (C h_i + S)/N, E[e] = (Σ q_i h_i / m_i)^C (Σ q_i / m_i)^S ≤ (Σ q_i (C h_i + S)/(N m_i))^N = 1
 * by the inequality of the arithmetic and geometric means; h_i / m_i rises with i, so a faster canary only lowers the first
 * factor. It is the two-sample case of the k-sample e-variables of Hao, Grünwald, Lardy, Long and Adams (2024), made
 * one-sided by the monotone stakes. Exact for any law, also one that changes from window to window, and any split.
 *
 * Share. Null: at every boundary the share beyond it is at most ratio × stable's + excess. Each bet is that of
 * `logWindowEvidence` with slow requests for errors; a mixture of them over boundaries is an e-value as well.
 */
export function logSpeedFactors(bets: SpeedBets, canary: readonly number[], stable: readonly number[]): number[] {
  if (bets.kind === 'shape') return logShapeFactors(bets, canary, stable);
  return bets.boundaries.flatMap((_, at) => {
    const seen = {
      canary: { requests: canary[0] ?? 0, errors: canary[at + 1] ?? 0 },
      stable: { requests: stable[0] ?? 0, errors: stable[at + 1] ?? 0 },
    };
    const isKnown = !Number.isNaN(seen.canary.errors + seen.stable.errors);
    const { ratio } = bets.margin;
    return suspicions.map((suspicion) => (isKnown ? logWindowEvidence(seen, bets.margin, suspicion * ratio) : 0));
  });
}

/** The stable bound next above which no more than a part of the requests is, for each part; the last finite one at most. */
export function boundsAt(histogram: Histogram, levels: readonly number[]): readonly number[] {
  const { upperBounds, counts } = histogram;
  const all = requestsIn(histogram);
  const bounds: number[] = [];
  let slower = all;
  let at = 0;
  for (let index = 0; index < upperBounds.length - 1; index += 1) {
    slower -= counts[index] ?? 0;
    for (; at < levels.length && slower <= all * (levels[at] ?? 0) + 1e-9; at += 1)
      bounds.push(upperBounds[index] ?? 0);
  }
  const last = upperBounds.at(-2) ?? 0;
  for (; at < levels.length; at += 1) bounds.push(last);
  return bounds;
}

function shapeBets(reference: Histogram, growth: number, shift: number): ShapeBets {
  const inside = [...new Set(boundsAt(reference, cellLevels))];
  const top = inside.at(-1) ?? 1;
  const outside = further.map((factor) => top * growth ** Math.ceil(Math.log(factor) / Math.log(growth)));
  const stableBounds = [...inside, ...outside, Infinity];
  const canaryBounds = stableBounds.map((bound) => bound * shift);
  const stakes = stakesFor(reference, stableBounds, canaryBounds, shift);
  const logStakes = stakes.map((each) => each.map((stake) => Math.log(stake)));
  return { kind: 'shape', canaryBounds, stableBounds, stakes, logStakes };
}

/**
 * Stakes in proportion to (law suspected of the canary) / (law of stable, a tolerated factor slower), for the suspicions
 * "a share of the requests is slower by a factor", made monotone. They decide how fast harm is found, never whether
 * health is mistaken for it.
 */
function stakesFor(
  reference: Histogram,
  stableBounds: readonly number[],
  canaryBounds: readonly number[],
  shift: number,
): readonly (readonly number[])[] {
  const all = requestsIn(reference) + stableBounds.length / 2;
  const tolerated = countsBetween(reference, stableBounds).map((count) => (count + 0.5) / all);
  const beyondEach = survival(reference);
  const cells = (slowness: number) => cellsOf(canaryBounds.map((bound) => beyondEach(bound / slowness)));
  const usual = cells(1);
  return factors.flatMap((factor) => {
    const slower = cells(factor * shift);
    return shares.map((share) => {
      const ratios = tolerated.map(
        (part, cell) => ((1 - share) * (usual[cell] ?? 0) + share * (slower[cell] ?? 0)) / part,
      );
      const stakes = nonDecreasing(ratios, tolerated).map((stake) => Math.max(stake, lowestStake));
      const mean = stakes.reduce((sum, stake, cell) => sum + stake * (tolerated[cell] ?? 0), 0);
      return stakes.map((stake) => stake / mean);
    });
  });
}

function cellsOf(survivals: readonly number[]): readonly number[] {
  return survivals.map((beyond, cell) => (survivals[cell - 1] ?? 1) - beyond);
}

/** Which part of the requests takes longer than a time; within a bucket spread evenly over the logarithm of time. */
function survival(histogram: Histogram): (seconds: number) => number {
  const { upperBounds, counts } = histogram;
  const all = requestsIn(histogram);
  const slowerFrom = counts.map(() => 0);
  for (let index = counts.length - 2; index >= 0; index -= 1)
    slowerFrom[index] = (slowerFrom[index + 1] ?? 0) + (counts[index + 1] ?? 0);
  return (seconds) => {
    if (seconds === Infinity) return 0;
    const index = upperBounds.findIndex((bound) => bound >= seconds);
    const [high = Infinity, low = 0] = [upperBounds[index], upperBounds[index - 1]];
    const from = low > 0 ? low : high / 2;
    const part = high === Infinity ? 1 : Math.min(1, Math.log(high / seconds) / Math.log(high / from));
    return ((slowerFrom[index] ?? 0) + part * (counts[index] ?? 0)) / all;
  };
}

function logShapeFactors(
  { stakes, logStakes }: ShapeBets,
  canary: readonly number[],
  stable: readonly number[],
): number[] {
  let [inCanary, inStable] = [0, 0];
  for (const count of canary) inCanary += count;
  for (const count of stable) inStable += count;
  if (inCanary <= 0 || inStable <= 0) return stakes.map(() => 0);
  const share = inCanary / (inCanary + inStable);
  return stakes.map((each, bet) => {
    const logs = logStakes[bet] ?? [];
    let logEvidence = 0;
    for (let cell = 0; cell < each.length; cell += 1) {
      const ofCanary = canary[cell] ?? 0;
      const ofBoth = ofCanary + (stable[cell] ?? 0);
      if (ofBoth === 0) continue;
      logEvidence += ofCanary * (logs[cell] ?? 0) - ofBoth * log(share * (each[cell] ?? 1) + (1 - share));
    }
    return logEvidence;
  });
}
