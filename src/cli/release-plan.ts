/** Works out what a release would do: weights, pods, pins, refusals. Pure; it asks the same core that the operator asks. */
import type { EffectiveSpec } from '../api/effective.ts';
import { LARGEST_SHARE_PERCENT, sharedPods, shareOfShared, sharingOf } from '../release/sharing.ts';
import { canarySize, firstWeight } from '../release/weights.ts';
import { type Refusal, refusalOf } from '../release/refusals.ts';
import type { DeploymentView, ServiceView, World } from '../release/world.ts';

/** One line of the plan; the last is the bake. Pods are undefined while the number of replicas is unknown. */
interface PlannedStep {
  /** Without routes: what the pods come to, which may differ from what was asked for. */
  readonly weightPercent: number;
  readonly kind: 'step' | 'check' | 'flag' | 'bake';
  /** The step lasts at least this long. */
  readonly atLeastMs: number;
  readonly canaryPods: number | undefined;
  /** Pods of both versions. */
  readonly totalPods: number | undefined;
}

export interface ReleasePlan {
  readonly namespace: string;
  readonly rollout: string;
  readonly replicas: number | undefined;
  readonly steps: readonly PlannedStep[];
  readonly peakPods: number | undefined;
  /** The shortest time from the first weight to the handover, starting pods and gateways left out. */
  readonly shortestMs: number;
  /** Services that keep to the old version during a release. */
  readonly pinned: readonly string[];
  /** Services through which both versions are reached at once. */
  readonly reachable: readonly string[];
  readonly refusals: readonly Refusal[];
  readonly effective: EffectiveSpec;
}

/** Which absences may be called missing; of the others it is only known that nobody could look. */
export interface Certainty {
  readonly services: boolean;
  readonly routes: boolean;
  readonly deployments: boolean;
}

export function planOf(world: World, certainty: Certainty): ReleasePlan {
  const { spec, deployment } = world;
  const replicas = deployment?.replicas;
  const steps = stepsOf(spec, replicas);
  const totals = steps.map((step) => step.totalPods ?? 0);
  return {
    namespace: world.rollout.namespace,
    rollout: world.rollout.name,
    replicas,
    steps,
    peakPods: replicas === undefined ? undefined : Math.max(...totals),
    shortestMs: steps.reduce((sum, step) => sum + step.atLeastMs, 0),
    pinned: namesOf(world.services, (service) => service.role !== 'alsoReachable'),
    reachable: namesOf(world.services, (service) => service.role === 'alsoReachable'),
    refusals: refusalsOf(world, certainty),
    effective: spec,
  };
}

/** Stable keeps all of its pods until the handover, and a canary never shrinks on its way up (S2). */
function stepsOf(spec: EffectiveSpec, replicas: number | undefined): PlannedStep[] {
  const { strategy } = spec;
  const isRouted = sharingOf(spec) === 'routes';
  const planned = (kind: PlannedStep['kind'], weightPercent: number, atLeastMs: number): PlannedStep => {
    const sized = isRouted ? canarySize : sharedPods;
    const canaryPods = replicas === undefined ? undefined : sized(weightPercent, replicas);
    const totalPods = canaryPods === undefined || replicas === undefined ? undefined : replicas + canaryPods;
    const isWhole = isRouted || canaryPods === undefined || replicas === undefined;
    return {
      weightPercent: isWhole ? weightPercent : shareOfShared(canaryPods, replicas),
      kind,
      atLeastMs,
      canaryPods,
      totalPods,
    };
  };
  return [
    ...strategy.steps.map((step) =>
      step.check === undefined
        ? planned(step.flag === undefined ? 'step' : 'flag', step.weightPercent, step.atLeastMs)
        : checked(planned('step', step.weightPercent || firstWeight(strategy.steps), 0), step.weightPercent),
    ),
    planned('bake', isRouted ? 100 : LARGEST_SHARE_PERCENT, strategy.bakeMs),
  ];
}

/** A check before the first weight meets the pods that are made for it. */
function checked(step: PlannedStep, weightPercent: number): PlannedStep {
  return { ...step, kind: 'check', weightPercent: weightPercent > 0 ? step.weightPercent : 0 };
}

function namesOf(services: readonly ServiceView[], isWanted: (service: ServiceView) => boolean): string[] {
  return services
    .filter((service) => service.exists && service.kind === 'selects' && isWanted(service))
    .map((service) => service.name);
}

/** All that stands in the way and not only the first, so that one plan is enough. */
function refusalsOf(world: World, certainty: Certainty): Refusal[] {
  const { deployment } = world;
  if (deployment === undefined) return certainty.deployments ? [targetMissing(world)] : [];
  const alone = { ...world, services: [], routes: [], rehearsal: undefined };
  const sound = withoutFaults(deployment);
  const services = world.services.filter((service) => service.exists || certainty.services);
  const routes = world.routes.filter((route) => route.exists || certainty.routes);
  return [
    refusalOf(alone, deployment),
    ...services.map((service) => refusalOf({ ...alone, services: [service] }, sound)),
    ...routes.map((route) => refusalOf({ ...alone, routes: [route] }, sound)),
    refusalOf({ ...alone, rehearsal: world.rehearsal }, sound),
  ].filter(
    (refusal, index, all): refusal is Refusal =>
      refusal !== undefined && all.findIndex((one) => one?.message === refusal.message) === index,
  );
}

/** What the Deployment itself is refused for would hide what is wrong with the rest. */
export function withoutFaults({ heldByOther: _other, ...deployment }: DeploymentView): DeploymentView {
  return {
    ...deployment,
    attached: 'yes',
    selectorMentionsHash: false,
    revisionHistoryLimit: 1,
    strategyType: 'RollingUpdate',
  };
}

function targetMissing({ spec, rollout }: World): Refusal {
  return {
    reason: 'TargetMissing',
    message: `Deployment ${spec.target.name} does not exist in ${rollout.namespace}; create it or correct targetRef.name.`,
  };
}
