/** Decides what is played: which scenarios, and how many times each. It holds no result. */
import { type Slowness, usualSpeed } from '../../src/simulation/release/durations.ts';
import { limitOf } from './limit.ts';
import { rulebooks, familyOf } from './rulebook.ts';
import type { Rule } from './rules/rule.ts';
import { type Regression, type Scenario, scenario, worldNames } from './scenario.ts';

export interface Job {
  readonly kind: 'healthy' | 'faulty' | 'braking';
  readonly scenario: Scenario;
  readonly replicates: number;
}

export interface Extent {
  /** In each world. */
  readonly healthyReplicates: number;
  /** In each world, with a single canary pod. */
  readonly lonelyReplicates: number;
  /** Beside each faulty scenario. */
  readonly besideReplicates: number;
  readonly faultyReplicates: number;
  /** Histograms are larger than counts, and take longer. */
  readonly healthyLatencyReplicates: number;
  readonly faultyLatencyReplicates: number;
  readonly isQuick: boolean;
}

/** The figures of the documentation. */
export const full: Extent = {
  healthyReplicates: 20_000,
  lonelyReplicates: 2000,
  besideReplicates: 500,
  faultyReplicates: 500,
  healthyLatencyReplicates: 400,
  faultyLatencyReplicates: 120,
  isQuick: false,
};

/** To see that all of it works. */
export const quick: Extent = {
  healthyReplicates: 150,
  lonelyReplicates: 50,
  besideReplicates: 50,
  faultyReplicates: 40,
  healthyLatencyReplicates: 10,
  faultyLatencyReplicates: 10,
  isQuick: true,
};

/** The rules that look at a job's releases. */
export function rulesOf({ kind, scenario: { slowness } }: Job): readonly Rule[] {
  const { all, watchful, braking } = rulebooks[familyOf({ slowness })];
  return { healthy: watchful, faulty: all, braking }[kind];
}

export function jobsOf(extent: Extent): readonly Job[] {
  return [...errorJobs(extent), ...latencyJobs(extent)];
}

function errorJobs(extent: Extent): readonly Job[] {
  const faulty = faultyScenarios(extent);
  const beside = new Map(faulty.map(healthyOf).map((one) => [one.id, one]));
  const worlds = worldScenarios();
  for (const { id } of worlds) beside.delete(id);
  return [
    ...worlds.map((one): Job => {
      const replicates = one.pods.canary === 1 ? extent.lonelyReplicates : extent.healthyReplicates;
      return { kind: 'healthy', scenario: one, replicates };
    }),
    ...[...beside.values()].map(
      (one): Job => ({ kind: 'healthy', scenario: one, replicates: affordable(extent.besideReplicates, one) }),
    ),
    ...faulty.flatMap((one) => faultyJobs(one, affordable(extent.faultyReplicates, one))),
  ];
}

function faultyJobs(one: Scenario, replicates: number): readonly Job[] {
  return [
    { kind: 'faulty', scenario: one, replicates },
    { kind: 'braking', scenario: one, replicates: Math.ceil(replicates / 2) },
  ];
}

const fleets = [
  { pods: { canary: 3, all: 30 }, stableRate: 0.001 },
  { pods: { canary: 1, all: 10 }, stableRate: 0.01 },
] as const;

/** Healthy releases in every world, for the table of false alarms. */
function worldScenarios(): readonly Scenario[] {
  return worldNames.flatMap((world) => fleets.map((fleet) => scenario({ world, ...fleet })));
}

const growing: readonly Regression[] = [1.5, 2, 5].map((factor) => ({ kind: 'times', factor }));
const added: readonly Regression[] = [{ kind: 'plus', rate: 0.005 }, { kind: 'plus', rate: 0.05 }, { kind: 'all' }];

/** One for each traffic, weight and base rate: what the fault is compared with. */
const settings: readonly Partial<Scenario>[] = [1, 10, 100, 1000]
  .map((perSecond): Partial<Scenario> => ({ perSecond, weight: 0.1 }))
  .concat([
    { perSecond: 100, weight: 0.05 },
    { perSecond: 100, weight: 0.5 },
  ])
  .flatMap((setting) => [0, 0.001, 0.01].map((stableRate) => ({ ...setting, stableRate })));

function faultyScenarios({ isQuick }: Extent): readonly Scenario[] {
  const chosen = isQuick ? settings.filter(({ perSecond, weight }) => perSecond === 100 && weight === 0.1) : settings;
  const early = chosen.flatMap((setting) =>
    faultsOf(setting).map((regression) => scenario({ ...setting, regression })),
  );
  const late = faultsOf({ stableRate: 0.001 }).map((regression) =>
    scenario({ regression, onsetMinutes: 20, minutes: 80 }),
  );
  return (isQuick ? early : [...early, ...late, ...paces()]).filter(isProvable);
}

/** Where even the limit is beyond an hour nobody can find anything, and nothing is played. */
function isProvable(one: Scenario): boolean {
  return limitOf(one, 0.01) <= 3600;
}

/** The same fault at other scrape intervals. */
function paces(): readonly Scenario[] {
  return [60_000, 5000, 1000].flatMap((windowMs) =>
    ([{ kind: 'times', factor: 5 }, ...added] as const).map((regression) => scenario({ windowMs, regression })),
  );
}

function faultsOf({ stableRate = 0 }: Partial<Scenario>): readonly Regression[] {
  return stableRate === 0 ? added : [...growing, ...added];
}

/** Faults of speed. A version that is 10 % slower is within what is tolerated, and stands among them to show just that. */
const slownesses: readonly Slowness[] = [
  { share: 1, factor: 1.1, addedSeconds: 0 },
  { share: 1, factor: 1.3, addedSeconds: 0 },
  { share: 1, factor: 1.5, addedSeconds: 0 },
  { share: 0.03, factor: 5, addedSeconds: 0 },
  { share: 0.1, factor: 3, addedSeconds: 0 },
  { share: 0.01, factor: 1, addedSeconds: 1 },
];

function latencyJobs(extent: Extent): readonly Job[] {
  const healthy = (['iid', 'incident'] as const).map((world) => scenario({ world, slowness: usualSpeed }));
  const faulty = slownesses.map((slowness) => scenario({ slowness }));
  return [
    ...healthy.map((one): Job => ({ kind: 'healthy', scenario: one, replicates: extent.healthyLatencyReplicates })),
    ...faulty.flatMap((one) => faultyJobs(one, extent.faultyLatencyReplicates)),
  ];
}

/** Short windows are many windows. */
function affordable(replicates: number, { windowMs }: Scenario): number {
  return Math.ceil(replicates * Math.min(1, windowMs / usualWindowMs));
}

const usualWindowMs = 15_000;

/** The release without the fault, everything else the same. */
export function healthyOf({ id: _own, ...rest }: Scenario): Scenario {
  const slowness = rest.slowness && usualSpeed;
  return scenario({ ...rest, regression: { kind: 'none' }, slowness, onsetMinutes: 0, minutes: 60 });
}
