// The promise under the bets on latency: none of them expects to win while the canary is within what is tolerated, whatever
// the law of the times and the split. Checked by adding up every possible outcome, through the functions that the judge uses.
import { type Histogram, histogramOf } from './histogram.ts';
import { afterWindow, openWealth, unlimited } from './mixture.ts';
import { type SpeedBets, logSpeedFactors, speedBets, speedBetsFrom, tallied } from './speed.ts';

/** Schema 3: tolerated 10 % is one bucket (9 %), 19 % are two. */
const bound = (cell: number) => 2 ** (cell / 8);
const native = (cells: readonly number[], first = -20): Histogram =>
  histogramOf(
    cells.flatMap((count, at) => (count > 0 ? [{ left: bound(first + at - 1), right: bound(first + at), count }] : [])),
  );
const classicBounds = [0.05, 0.1, 0.25, 0.5, Infinity];
const classic = (counts: readonly number[]): Histogram => ({ upperBounds: classicBounds, counts });

/** All ways in which `of` requests can fall into so many cells, with their chance under the law. */
function outcomes(of: number, law: readonly number[]): readonly { counts: readonly number[]; chance: number }[] {
  const [own = 1, ...others] = law;
  if (others.length === 0) return [{ counts: [of], chance: own ** of }];
  return Array.from({ length: of + 1 }, (_, here) => here).flatMap((here) => {
    let ways = 1;
    for (let index = 0; index < here; index += 1) ways = (ways * (of - index)) / (index + 1);
    return outcomes(of - here, others).map(({ counts, chance }) => ({
      counts: [here, ...counts],
      chance: chance * ways * own ** here,
    }));
  });
}

interface World {
  readonly bets: SpeedBets;
  readonly sizes: readonly [canary: number, stable: number];
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  readonly histogram: (cells: readonly number[]) => Histogram;
}

/** The largest expected value over all bets, and that of the bankroll that plays them all. */
function expected({ bets, sizes, canary, stable, histogram }: World): number {
  const sums = Array.from({ length: speedBets + 1 }, () => 0);
  const stableOutcomes = outcomes(sizes[1], stable)
    .filter(({ chance }) => chance > 0)
    .map(({ counts, chance }) => ({ seen: tallied(bets, histogram(counts), 'stable'), chance }));
  for (const one of outcomes(sizes[0], canary)) {
    if (one.chance === 0) continue;
    const ofCanary = tallied(bets, histogram(one.counts), 'canary');
    for (const other of stableOutcomes) {
      const logs = logSpeedFactors(bets, ofCanary, other.seen);
      const all = [...logs, afterWindow(openWealth(speedBets), logs, 5_000, unlimited).logEvidence];
      for (const [bet, log] of all.entries()) sums[bet] = (sums[bet] ?? 0) + one.chance * other.chance * Math.exp(log);
    }
  }
  return Math.max(...sums);
}

const sizes = [
  [1, 1],
  [1, 4],
  [3, 2],
  [2, 5],
] as const;
/** Laws over four neighbouring cells. */
const laws = [
  [1, 0, 0, 0],
  [0.5, 0.5, 0, 0],
  [0.25, 0.25, 0.25, 0.25],
  [0.9, 0.07, 0.02, 0.01],
  [0.1, 0.2, 0.3, 0.4],
  [0, 0.5, 0, 0.5],
] as const;
/** Stable's past, which may have been anything. */
const pasts = [
  [500, 300, 150, 50],
  [10, 0, 0, 0],
  [1, 5, 9, 400],
  [900, 0, 0, 30],
] as const;

const later = (law: readonly number[], cells: number) => [...Array.from({ length: cells }, () => 0), ...law];
/** Half of what is in each cell is one cell faster than it might be. */
const faster = (law: readonly number[]) =>
  law.map((part, cell) => part * (cell === 0 ? 1 : 0.5) + (law[cell + 1] ?? 0) * 0.5);

function shapeWorlds(tolerateRatio: number, shift: number, past: readonly number[]): readonly World[] {
  const bets = speedBetsFrom(native(past), tolerateRatio);
  if (bets?.kind !== 'shape') throw new Error('there should be bets on the shape');
  return sizes.flatMap((size) =>
    laws.flatMap((stable) =>
      [later(stable, shift), later(stable, 0), faster(later(stable, shift))].map((canary) => ({
        bets,
        sizes: size,
        stable,
        canary,
        histogram: (cells: readonly number[]) => native(cells),
      })),
    ),
  );
}

const reversed = ({ stakes, logStakes }: Extract<SpeedBets, { kind: 'shape' }>) => ({
  stakes: stakes.map((each) => each.toReversed()),
  logStakes: logStakes.map((each) => each.toReversed()),
});

describe('a bet on the shape', () => {
  test('never expects to win while each request is at most as much slower as is tolerated, on the line included', () => {
    const worlds = pasts.flatMap((past) => [...shapeWorlds(1.1, 1, past), ...shapeWorlds(1.19, 2, past)]);
    expect(worlds.length).toBeGreaterThan(500);
    for (const world of worlds) expect(expected(world)).toBeLessThanOrEqual(1 + 1e-9);
  }, 60_000);

  test('would expect to win with what is tolerated forgotten, or with stakes on the fast: the check can fail', () => {
    const worlds = pasts.flatMap((past) => shapeWorlds(1.19, 2, past));
    const best = (mutated: (bets: Extract<SpeedBets, { kind: 'shape' }>) => SpeedBets) =>
      Math.max(
        ...worlds.map((world) => (world.bets.kind === 'shape' ? expected({ ...world, bets: mutated(world.bets) }) : 0)),
      );
    expect(best((bets) => ({ ...bets, canaryBounds: bets.stableBounds }))).toBeGreaterThan(1.05);
    expect(best((bets) => ({ ...bets, ...reversed(bets) }))).toBeGreaterThan(1.05);
  }, 60_000);

  test('wins on a slower canary: three tenths slower is found in a few hundred requests', () => {
    const bets = speedBetsFrom(native([10, 100, 400, 800, 400, 100, 10]), 1.1);
    if (!bets) throw new Error('there should be bets');
    const stable = native([1, 10, 40, 80, 40, 10, 1]);
    const canary = native(later([1, 10, 40, 80, 40, 10, 1], 4));
    const logs = logSpeedFactors(bets, tallied(bets, canary, 'canary'), tallied(bets, stable, 'stable'));
    expect(afterWindow(openWealth(speedBets), logs, 5_000, unlimited).logEvidence).toBeGreaterThan(Math.log(1000));
  });

  test('takes requests beyond the last bound for hardly slower than that, for nobody knows how slow they are', () => {
    const upperBounds = [bound(-2), bound(-1), bound(0), Infinity];
    const reference = { upperBounds, counts: [50, 30, 20, 0] };
    const bets = speedBetsFrom(reference, 1.1);
    if (bets?.kind !== 'shape') throw new Error('there should be bets on the shape');
    const open = tallied(bets, { upperBounds, counts: [0, 0, 0, 9] }, 'canary');
    const closed = tallied(bets, native([9], 1), 'canary');
    expect(open).toEqual(closed);
  });

  test.each([
    [1, 0],
    [1.02, 'share'],
    [1.05, 1],
    [1.1, 1],
    [1.13, 1],
    [1.15, 2],
    [1.19, 2],
    [1.5, 5],
  ])('that tolerates a factor of %d on buckets of 9 %% does so by %s of them, the nearest', (ratio, buckets) => {
    const bets = speedBetsFrom(native([10, 100, 400, 100, 10]), ratio);
    const shift = bets?.kind === 'shape' ? (bets.canaryBounds[0] ?? 0) / (bets.stableBounds[0] ?? 0) : Number.NaN;
    expect(bets?.kind === 'shape' ? Math.round(Math.log2(shift) * 8) : bets?.kind).toBe(buckets);
    if (bets?.kind === 'shape') expect(shift).toBeLessThan(ratio * bound(0.5));
  });

  test('says nothing without requests in both versions', () => {
    const bets = speedBetsFrom(native([5, 5]), 1.1);
    if (!bets) throw new Error('there should be bets');
    const [none, some] = [tallied(bets, native([]), 'canary'), tallied(bets, native([9, 9]), 'canary')];
    expect(Math.max(...logSpeedFactors(bets, none, some), ...logSpeedFactors(bets, some, none))).toBe(0);
  });
});

describe('bets on the shares beyond coarse boundaries', () => {
  const margin = (share: number) => Math.min(1, 1.2 * share + 0.005);
  /** The slowest law that is still within tolerance at every boundary. */
  const onTheLine = (law: readonly number[]) => {
    const beyond = law.map((_, cell) => law.slice(cell + 1).reduce((sum, part) => sum + part, 0));
    const allowed = beyond.map((share, cell) => (cell === law.length - 1 ? 0 : margin(share)));
    return allowed.map((share, cell) => (allowed[cell - 1] ?? 1) - share);
  };
  const worlds = (past: readonly number[]): readonly World[] => {
    const bets = speedBetsFrom(classic(past), 1.1);
    if (bets?.kind !== 'share') throw new Error('there should be bets on shares');
    return sizes.flatMap((size) =>
      laws
        .map((law) => [...law, 0])
        .flatMap((stable) =>
          [onTheLine(stable), stable, faster(stable)].map((canary) => ({
            bets,
            sizes: size,
            stable,
            canary,
            histogram: classic,
          })),
        ),
    );
  };
  const all = () => pasts.flatMap((past) => worlds([...past, 0]));

  test('never expect to win while no share is larger than is tolerated, on the line included', () => {
    expect(all().length).toBeGreaterThan(250);
    for (const world of all()) expect(expected(world)).toBeLessThanOrEqual(1 + 1e-9);
  }, 60_000);

  test('would expect to win with what is tolerated forgotten: the check can fail', () => {
    const best = Math.max(
      ...all().map((world) =>
        world.bets.kind === 'share'
          ? expected({ ...world, bets: { ...world.bets, margin: { ratio: 1, excess: 0 } } })
          : 0,
      ),
    );
    expect(best).toBeGreaterThan(1.01);
  }, 60_000);

  test('are made where the buckets are coarser than what is tolerated, and none where there is one bucket', () => {
    expect(speedBetsFrom(classic([5, 5, 5, 5, 5]), 1.1)).toMatchObject({
      kind: 'share',
      boundaries: [0.25, 0.5, 0.5, 0.5, 0.5],
    });
    expect(speedBetsFrom({ upperBounds: [Infinity], counts: [9] }, 1.1)).toBeUndefined();
    expect(speedBetsFrom(classic([0, 0, 0, 0, 0]), 1.1)).toBeUndefined();
    expect(speedBetsFrom(histogramOf([{ left: 1, right: Math.SQRT2, count: 9 }]), 1.1)).toMatchObject({
      kind: 'share',
    });
  });
});
