/**
 * Works out what the traffic of now can prove at each weight of a plan, and about how fast: how long until a version as good as
 * the old one may go on, and until worse ones are braked and rolled back. Pure; all times are expectations.
 */
import { calibrated } from '../../analysis/calibration.ts';
import { type ProofTime, type Supposed, proofTime } from '../../analysis/proof-time.ts';
import type { EffectiveSpec } from '../../api/effective.ts';
import { judgeSettingsOf } from '../../controller/judged-as.ts';
import { sharedPods, shareOfShared, sharingOf } from '../../release/sharing.ts';
import { brakeWeight } from '../../release/weights.ts';
import { type Learned, nothingLearned } from '../../signals/learned.ts';
import type { ReleasePlan } from '../release-plan.ts';

/** Requests as they came lately. */
export interface SeenTraffic {
  readonly requestsPerSecond: number;
  /** Share of them that failed, from 0 to 1. */
  readonly failedShare: number;
  readonly requests: number;
  readonly failed: number;
  /** Over so long. */
  readonly seenMs: number;
  /** Time between two looks of the judge. */
  readonly windowMs: number;
  /** It is known which pod answered. */
  readonly tellsPods: boolean;
}

export interface Proof {
  readonly traffic: SeenTraffic;
  readonly steps: readonly StepProof[];
  /** What happens to a step that is not acceptable by then. */
  readonly whenUnsure: EffectiveSpec['analysis']['whenUnsure'];
  /** Judged too, and not foretold: nothing is known of them before a release. */
  readonly notForetold: readonly string[];
}

/** Seconds since the weight is in force, this step taken by itself. Absent: not within a day. */
export interface StepProof {
  /** As the plan counts steps. */
  readonly step: number;
  readonly weightPercent: number;
  readonly canaryRequestsPerSecond: number;
  /** Until a version that fails as often as the old one may go on. */
  readonly acceptSeconds?: number;
  /** Of the larger weights that people choose, the first at which that takes no longer than whenUnsure.after. */
  readonly enoughPercent?: number;
  readonly worse: readonly WorseProof[];
}

export interface WorseProof {
  readonly version: Worse;
  /** Share of its requests that fails. */
  readonly failedShare: number;
  /** Until the step is acceptable all the same. */
  readonly acceptSeconds?: number;
  readonly brakeSeconds?: number;
  readonly rollbackSeconds?: number;
  /** Failed requests of the new version until the rollback. */
  readonly failedRequests?: number;
  /** The step is acceptable before so little harm is proven: ruleOut allows it. */
  readonly passes: boolean;
}

/** What fails more: by half, twice as much, one and five percentage points. */
export const worseVersions = ['+50%', '2x', '+1pp', '+5pp'] as const;
export type Worse = (typeof worseVersions)[number];

const LONGEST_MS = 86_400_000;
const MOST_GROUPS = 4;
const SHORTEST_WINDOW_MS = 5_000;
const USUAL_PERCENTS = [10, 25, 50];

/** Undefined when errors are not judged: of other metrics nothing can be foretold. */
export function proofOf(traffic: SeenTraffic, plan: ReleasePlan, learned: Learned = nothingLearned): Proof | undefined {
  const settings = calibrated(judgeSettingsOf(plan.effective), learned.calibrations);
  if (!plan.effective.analysis.metrics.some(({ kind }) => kind === 'errors')) return undefined;
  const steps = plan.steps.flatMap((step, index) =>
    // What pods answer to a check is proved by no traffic, and in the bake there is nothing to compare with.
    step.kind === 'step' ? [{ ...step, step: index + 1 }] : [],
  );
  return {
    traffic,
    steps: steps.map((step) => stepProof(step, { traffic, plan, settings })),
    whenUnsure: plan.effective.analysis.whenUnsure,
    notForetold: plan.effective.analysis.metrics.flatMap((metric) => {
      if (metric.kind === 'errors') return [];
      return 'name' in metric ? [metric.name] : [metric.kind];
    }),
  };
}

interface Given {
  readonly traffic: SeenTraffic;
  readonly plan: ReleasePlan;
  readonly settings: ReturnType<typeof judgeSettingsOf>;
}

type Weighted = Pick<ReleasePlan['steps'][number], 'weightPercent' | 'canaryPods'>;

function stepProof(step: Weighted & { readonly step: number; readonly atLeastMs: number }, given: Given): StepProof {
  const { traffic, plan } = given;
  const { acceptSeconds } = timeOf(step, traffic.failedShare, given);
  const unsureSeconds = plan.effective.analysis.whenUnsure.afterMs / 1000;
  const isProven = acceptSeconds !== undefined && acceptSeconds <= unsureSeconds;
  const enoughPercent = isProven
    ? undefined
    : USUAL_PERCENTS.filter((weightPercent) => weightPercent > step.weightPercent).find((weightPercent) => {
        const { acceptSeconds: seconds = Infinity } = timeOf(
          { weightPercent, canaryPods: 0 },
          traffic.failedShare,
          given,
        );
        return seconds <= unsureSeconds;
      });
  return {
    step: step.step,
    weightPercent: step.weightPercent,
    canaryRequestsPerSecond: (traffic.requestsPerSecond * step.weightPercent) / 100,
    ...(acceptSeconds === undefined ? {} : { acceptSeconds }),
    ...(enoughPercent === undefined ? {} : { enoughPercent }),
    worse: worseVersions.flatMap((version) => worseProof(version, step, given)),
  };
}

/** Where nothing fails, twice as much is nothing either. */
function worseProof(version: Worse, step: Weighted & { readonly atLeastMs: number }, given: Given): WorseProof[] {
  const failedShare = Math.min(1, shareOf(version, given.traffic.failedShare));
  if (failedShare <= given.traffic.failedShare) return [];
  const { acceptSeconds, brakeSeconds, rollbackSeconds, badRequests } = timeOf(step, failedShare, given);
  const endSeconds = Math.max(acceptSeconds ?? Infinity, step.atLeastMs / 1000);
  return [
    {
      version,
      failedShare,
      ...(acceptSeconds === undefined ? {} : { acceptSeconds }),
      ...(brakeSeconds === undefined ? {} : { brakeSeconds }),
      ...(rollbackSeconds === undefined ? {} : { rollbackSeconds }),
      ...(badRequests === undefined ? {} : { failedRequests: Math.ceil(badRequests) }),
      passes: endSeconds < (brakeSeconds ?? Infinity),
    },
  ];
}

function shareOf(version: Worse, failedShare: number): number {
  switch (version) {
    case '+50%':
      return failedShare * 1.5;
    case '2x':
      return failedShare * 2;
    case '+1pp':
      return failedShare + 0.01;
    case '+5pp':
      return failedShare + 0.05;
    default:
      return version satisfies never;
  }
}

function timeOf({ weightPercent, canaryPods = 0 }: Weighted, canaryRate: number, given: Given): Partial<ProofTime> {
  const { traffic, plan, settings } = given;
  const supposed: Supposed = {
    perSecond: traffic.requestsPerSecond,
    canaryShare: weightPercent / 100,
    brakedShare: brakedPercent(weightPercent, traffic.requestsPerSecond, plan) / 100,
    stableRate: traffic.failedShare,
    canaryRate,
    groups: traffic.tellsPods && canaryPods > 1 ? Math.min(canaryPods, MOST_GROUPS) : 0,
    windowMs: Math.max(traffic.windowMs, SHORTEST_WINDOW_MS),
  };
  const time: Partial<ProofTime> = proofTime(supposed, settings, LONGEST_MS) ?? {};
  return {
    acceptSeconds: whole(time.acceptSeconds),
    brakeSeconds: whole(time.brakeSeconds),
    rollbackSeconds: whole(time.rollbackSeconds),
    badRequests: time.badRequests,
  };
}

function whole(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.ceil(seconds);
}

function brakedPercent(
  weightPercent: number,
  perSecond: number,
  { effective, replicas = 0 }: { readonly effective: EffectiveSpec; readonly replicas: number | undefined },
): number {
  if (effective.analysis.mode === 'observe') return weightPercent;
  const braked = brakeWeight(weightPercent, perSecond);
  if (sharingOf(effective) === 'routes') return braked;
  return Math.min(weightPercent, shareOfShared(sharedPods(braked, replicas), replicas) || weightPercent);
}
