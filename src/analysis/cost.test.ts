// A new version that needs more for the same work is found, with its price; one that is the same is not, whatever its pods'
// noise is; and what is not known is said and never counted as nothing.
import {
  type CostBlock,
  type CostFacts,
  type CostSettings,
  type CostState,
  costAfter,
  costVerdict,
  openCost,
} from './cost.ts';
import { type Dice, diceFrom, poisson } from './dice.ts';
import { spreadWithin, useRatio } from './efficiency.ts';
import { type Scaling, defaultPrices, monthlyCost, replicasFor } from './money.ts';

const blockMs = 30_000;

interface Fleet {
  readonly stable: number;
  readonly canary: number;
  readonly perSecond: number;
  /** Part of the requests: of all blocks, or of one after the other. */
  readonly weight: number | readonly number[];
  /** CPU of a request of the new version, to that of the old one. */
  readonly cpu?: number;
  readonly idleCpu?: number;
  readonly memory?: number;
  readonly calls?: number;
  /** With all requests on the old version, and no pod of the new one warm yet. */
  readonly blocksBefore?: number;
}

const cpuPerRequest = 0.02;

/** Pods whose CPU wanders, together and each for itself, and which get unequal parts of the requests. */
function* blocksOf(fleet: Fleet, dice: Dice, lastingNoise = 0.05): Generator<CostBlock> {
  const { stable, canary, perSecond, cpu = 1, idleCpu = 0.03, memory = 1, calls = 1, blocksBefore = 20 } = fleet;
  const pods = Array.from({ length: stable + canary }, (_, index) => ({
    pod: `pod-${index}`,
    isCanary: index >= stable,
    part: 0.85 + 0.3 * dice(),
    own: 0,
  }));
  let common = 0;
  for (let count = 0; ; count += 1) {
    const weight = count < blocksBefore ? 0 : weightIn(fleet.weight, count - blocksBefore);
    common = 0.9 * common + 0.15 * (dice() - 0.5);
    const used = pods
      .filter(({ isCanary }) => !isCanary || count >= blocksBefore)
      .map((one) => {
        const { pod, isCanary, part } = one;
        one.own = 0.8 * one.own + lastingNoise * 1.2 * (dice() - 0.5);
        const load = (isCanary ? (perSecond * weight) / canary : (perSecond * (1 - weight)) / stable) * part;
        const perRequest = cpuPerRequest * (isCanary ? cpu : 1) * Math.exp(common + one.own);
        const counted = poisson(dice, load * 30) / 30;
        return {
          pod,
          isCanary,
          load: counted,
          cpu: idleCpu + counted * perRequest,
          memory: 2e8 * (isCanary ? memory : 1) * (1 + 0.05 * (dice() - 0.5)),
          calls: poisson(dice, counted * 30 * (isCanary ? calls : 1)) / 30,
        };
      });
    yield {
      lengthMs: blockMs,
      traffic: used.reduce((sum, { load }) => sum + load, 0),
      cpu: used.map(({ pod, isCanary, load, cpu: use }) => ({ pod, isCanary, load, use })),
      memory: used.map(({ pod, isCanary, memory: use }) => ({ pod, isCanary, load: 1, use })),
      units: { calls: used.map(({ pod, isCanary, load, calls: use }) => ({ pod, isCanary, load, use })) },
    };
  }
}

function weightIn(weight: Fleet['weight'], block: number): number {
  return typeof weight === 'number' ? weight : (weight[block] ?? weight.at(-1) ?? 0);
}

const settings: CostSettings = {
  metrics: [{ name: 'cost', tolerateRatio: 1.15, maxExtraPerMonth: 5, do: 'hold' }],
  logHold: Math.log(100),
  logRollback: Math.log(1000),
};
const priced: CostSettings = {
  ...settings,
  metrics: [{ name: 'calls', tolerateRatio: 1.1, maxExtraPerMonth: 50, do: 'hold', unitPrice: 0.000002 }],
};
const shape = { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 };
const autoscaler: Scaling = { kind: 'autoscaler', name: 'checkout', min: 2, max: 50, target: { ofRequest: 0.5 } };
const facts: CostFacts = {
  shapes: { canary: shape, stable: shape },
  prices: defaultPrices,
  source: 'requests of the pods, default prices',
  scaling: autoscaler,
  silence: undefined,
  silent: {},
};

interface Played {
  readonly state: CostState;
  /** Blocks until it was dearer; undefined when it never was. */
  readonly foundAfter: number | undefined;
  readonly fineAfter: number | undefined;
}

function played(fleet: Fleet, blocks: number, seed: number, of = settings, given = facts): Played {
  let state = openCost(of);
  let fineAfter: number | undefined;
  let count = -(fleet.blocksBefore ?? 20);
  for (const block of blocksOf(fleet, diceFrom(seed))) {
    const answer = costVerdict(costAfter(state, block, of), given, of);
    ({ state } = answer);
    count += 1;
    if (answer.view.state === 'fine' && count > 0) fineAfter ??= count;
    if (answer.view.state === 'dearer') return { state, foundAfter: count, fineAfter };
    if (count === blocks) break;
  }
  return { state, foundAfter: undefined, fineAfter };
}

const view = (state: CostState, of = settings, given = facts) => costVerdict(state, given, of).view;

const tenMinutes = 18;

describe('a version that needs 60% more CPU for a request', () => {
  test.each([1, 2, 3])('is found within ten minutes where %i of 4 pods are new, at 100 requests a second', (canary) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const fleet = { stable: 4 - canary, canary, perSecond: 100, weight: canary / 4, cpu: 1.6 };
      expect(played(fleet, tenMinutes, seed).foundAfter).toBeLessThanOrEqual(tenMinutes);
    }
  });

  test.each([
    [4, 2, 0.5],
    [10, 3, 0.25],
  ])('is found beside all %i old pods with %i new ones at a weight of %f', (stable, canary, weight) => {
    for (let seed = 1; seed <= 20; seed += 1)
      expect(played({ stable, canary, perSecond: 100, weight, cpu: 1.6 }, tenMinutes, seed).foundAfter).toBeDefined();
  });

  test('is found within ten minutes in the steps 5%, 25%, 50%, whatever was said at the small ones', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const fleet = {
        stable: 4,
        canary: 2,
        perSecond: 100,
        weight: [0.05, 0.05, 0.25, 0.25, 0.25, 0.25, 0.5],
        cpu: 1.6,
      };
      expect(played(fleet, tenMinutes, seed).foundAfter).toBeDefined();
    }
  });

  test('is told with the amounts, what they rest on and what the autoscaler would do', () => {
    const { state } = played({ stable: 4, canary: 2, perSecond: 100, weight: 0.5, cpu: 1.6 }, tenMinutes, 3);
    expect(view(state)).toMatchObject({ state: 'dearer', do: 'hold', culprit: 'cost' });
    expect(view(state).sentence).toMatch(
      /^The new version needs \d+% \(\d+% to \d+%\) more CPU for a request \(evidence \d+ : 1\), where 15% and 5.00 USD a month are tolerated: about [\d.]+ USD a month at 100% of the present traffic instead of [\d.]+ USD, [\d.]+ USD \([\d.]+ USD to [\d.]+ USD\) more; autoscaler checkout would run \d pods instead of \d \(requests of the pods, default prices\)\.$/,
    );
  });

  test('is told where no autoscaler adds pods too, with what its use is worth', () => {
    const given: CostFacts = { ...facts, scaling: { kind: 'fixed', replicas: 4 } };
    const { state } = played(
      { stable: 4, canary: 2, perSecond: 100, weight: 0.5, cpu: 1.6 },
      tenMinutes,
      3,
      settings,
      given,
    );
    expect(view(state, settings, given).sentence).toContain('the bill grows when pods are added');
  });

  test('is no reason to hold where all of it is worth less than is tolerated', () => {
    const small = { ...settings, metrics: settings.metrics.map((one) => ({ ...one, maxExtraPerMonth: 5000 })) };
    const { state, foundAfter } = played({ stable: 4, canary: 2, perSecond: 100, weight: 0.5, cpu: 1.6 }, 60, 3, small);
    expect(foundAfter).toBeUndefined();
    expect(view(state, small)).toMatchObject({
      state: 'fine',
      sentence: expect.stringContaining('twice the use would stay within'),
    });
  });
});

describe('the same version', () => {
  test.each([
    [3, 1, 0.25],
    [2, 2, 0.5],
    [4, 2, 0.5],
    [4, 2, 0.25],
  ])('is never held in 30 hours and is fine soon: %i old pods, %i new ones, weight %f', (stable, canary, weight) => {
    const fine: number[] = [];
    for (let seed = 1; seed <= 30; seed += 1) {
      const { foundAfter, fineAfter } = played({ stable, canary, perSecond: 100, weight }, 120, seed);
      expect(foundAfter).toBeUndefined();
      fine.push(fineAfter ?? Infinity);
    }
    expect(fine.toSorted((one, other) => one - other)[15]).toBeLessThanOrEqual(16);
  });

  test('is not held for one pod on a node that is half as fast: pods of one version differ as much', () => {
    let state = openCost(settings);
    const blocks = blocksOf({ stable: 4, canary: 2, perSecond: 100, weight: 1 / 3 }, diceFrom(5));
    for (let count = 0; count < 80; count += 1) {
      const { value: block } = blocks.next() as { value: CostBlock };
      const slow = block.cpu.map((one) => (one.pod === 'pod-5' ? { ...one, use: one.use * 1.9 } : one));
      state = costAfter(state, { ...block, cpu: slow }, settings);
    }
    expect(spreadWithin(state.cpu)).toBeGreaterThan(1.5);
    expect(useRatio(state.cpu)?.middle).toBeGreaterThan(1.15);
    expect(view(state).state).not.toBe('dearer');
  });
});

describe('the naive ratio', () => {
  /** What is set aside for the pods of a version, divided by the requests that it answers. */
  const naive = (stable: number, canary: number, weight: number) => canary / weight / (stable / (1 - weight));

  test.each([
    [20, 1, 0.01, 4.95],
    [20, 1, 0.05, 0.95],
    [20, 2, 0.05, 1.9],
    [20, 5, 0.25, 0.75],
  ])(
    'of two versions that are the same, with %i old pods and %i new ones at a weight of %f, is %f',
    (stable, canary, weight, ratio) => {
      expect(naive(stable, canary, weight)).toBeCloseTo(ratio, 10);
      const same = { kind: 'fixed', replicas: stable } as const;
      const need = { cpu: 5, memoryBytes: 0 };
      expect(monthlyCost(same, shape, need, defaultPrices) / monthlyCost(same, shape, need, defaultPrices)).toBe(1);
    },
  );

  test('also of the CPU that is used: pods that are hardly asked use some too, and what is judged is not misled', () => {
    const fleet = { stable: 4, canary: 2, perSecond: 20, weight: 0.25, idleCpu: 0.05 };
    const { state, foundAfter } = played(fleet, 60, 7);
    const block = [...take(blocksOf(fleet, diceFrom(7)), 21)].at(-1);
    const perRequest = (isCanary: boolean) => {
      const own = block?.cpu.filter((one) => one.isCanary === isCanary) ?? [];
      return own.reduce((sum, { use }) => sum + use, 0) / own.reduce((sum, { load }) => sum + load, 0);
    };
    expect(perRequest(true) / perRequest(false)).toBeGreaterThan(1.15);
    expect(foundAfter).toBeUndefined();
    expect(useRatio(state.cpu)?.low).toBeLessThan(1);
  });
});

function* take<T>(all: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const one of all) {
    if (taken === count) return;
    taken += 1;
    yield one;
  }
}

describe('what the templates say', () => {
  const twice = { ...shape, cpu: 2 };
  const given = (scaling: Scaling): CostFacts => ({ ...facts, scaling, shapes: { canary: twice, stable: shape } });

  test('is told after the first block where nobody scales by use', () => {
    const { state, foundAfter } = played(
      { stable: 4, canary: 2, perSecond: 100, weight: 0.5 },
      5,
      1,
      settings,
      given({ kind: 'fixed', replicas: 4 }),
    );
    expect(foundAfter).toBeLessThanOrEqual(1);
    expect(view(state).sentence).toBe(
      'The pods of the new version ask for 2 CPU and 1024 MiB instead of 1 CPU and 1024 MiB, where 15% and 5.00 USD a month are tolerated: about 197 USD a month at 100% of the present traffic instead of 105 USD, 92.30 USD more (requests of the pods, default prices).',
    );
  });

  test('changes little where an autoscaler runs fewer of such pods', () => {
    const { foundAfter } = played(
      { stable: 4, canary: 2, perSecond: 100, weight: 0.5 },
      30,
      1,
      settings,
      given(autoscaler),
    );
    expect(foundAfter).toBeUndefined();
    const need = { cpu: 6, memoryBytes: 0 };
    expect([replicasFor(autoscaler, shape, need), replicasFor(autoscaler, twice, need)]).toEqual([12, 6]);
    expect(replicasFor({ ...autoscaler, max: 8 }, shape, need)).toBe(8);
    expect(replicasFor({ ...autoscaler, target: { cores: 0.25 } }, shape, { cpu: 0.1, memoryBytes: 0 })).toBe(2);
  });
});

describe('a price of the user', () => {
  const fleet = { stable: 4, canary: 2, perSecond: 100, weight: 0.25 };

  test('for which a version calls twice as often is held, with the amount', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { state, foundAfter } = played({ ...fleet, calls: 2 }, tenMinutes, seed, priced);
      expect(foundAfter).toBeLessThanOrEqual(tenMinutes);
      expect(view(state, priced)).toMatchObject({ state: 'dearer', culprit: 'calls' });
      expect(view(state, priced).sentence).toMatch(
        /^The new version counts \d+% .* more calls for a request .*: about \d+ USD a month at 100% of the present traffic instead of \d+ USD, \d+ USD \(.*\) more, at 0.000002 USD each\.$/,
      );
    }
  });

  test('is fine for the same version, at a small weight too', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const { state, foundAfter } = played({ ...fleet, weight: 0.05 }, 120, seed, priced);
      expect(foundAfter).toBeUndefined();
      expect(view(state, priced).state).toBe('fine');
    }
  });
});

describe('unknown', () => {
  const fleet = { stable: 4, canary: 2, perSecond: 100, weight: 0.25 };

  test.each<[string, Partial<CostFacts>, RegExp]>([
    [
      'without requests of pods',
      { shapes: 'its pods have no requests' },
      /^Cost is unknown, because its pods have no requests\.$/,
    ],
    [
      'without the autoscaler',
      { scaling: 'the operator may not read autoscalers' },
      /because the operator may not read autoscalers\.$/,
    ],
    ['while the source is silent', { silence: 'MetricSource main is down' }, /because MetricSource main is down\.$/],
  ])('%s, in a sentence, and the next step waits', (_, missing, words) => {
    const { state } = played(fleet, 3, 1);
    const answer = view(state, settings, { ...facts, ...missing });
    expect(answer).toMatchObject({ state: 'unknown', waits: 'step' });
    expect(answer.sentence).toMatch(words);
  });

  test('with three pods, and where nothing was counted', () => {
    const { state } = played({ ...fleet, stable: 2, canary: 1, weight: 0.33 }, 10, 1);
    expect(view(state).sentence).toBe(
      'Cost is unknown, because only 3 pods serve requests, and at least 4 are needed to tell a version from a pod.',
    );
    expect(view(openCost(settings))).toMatchObject({ state: 'unknown', waits: 'step' });
  });

  test('while the new pods get a tenth of the requests of the others: that delays the promotion, and not the step', () => {
    const { state } = played({ ...fleet, weight: 0.05 }, 10, 1);
    expect(view(state)).toMatchObject({ state: 'unknown', waits: 'promotion' });
    expect(view(state).sentence).toContain('a weight nearer to the share of the pods will tell');
  });

  test('ends in a verdict when a weight comes that tells, and a verdict outlives what is silent then', () => {
    let { state } = played({ ...fleet, weight: 0.05, cpu: 1.6 }, 10, 1);
    for (const block of take(blocksOf({ ...fleet, weight: 0.5, cpu: 1.6, blocksBefore: 0 }, diceFrom(2)), tenMinutes))
      ({ state } = costVerdict(costAfter(state, block, settings), facts, settings));
    expect(view(state, settings, { ...facts, silence: 'down' }).state).toBe('dearer');
  });
});
