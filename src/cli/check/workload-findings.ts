/** Says whether this Deployment can be released, by asking the same core as the operator; it has no rules of its own. */
import { attach } from '../../release/stages/attach.ts';
import type { DeploymentView, World } from '../../release/world.ts';
import { type Reason, REASONS } from '../../api/reasons.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import { isStalled } from '../outcome.ts';
import type { ReleasePlan } from '../release-plan.ts';
import { withoutFaults } from '../release-plan.ts';
import type { Features } from './cluster-findings.ts';
import { type Finding, findingsOf } from './finding.ts';
import type { Trials } from './trials.ts';

const { ok, warn, fail, unknown } = findingsOf('workload');

export interface WorkloadSight {
  readonly world: World;
  readonly plan: ReleasePlan;
  /** Of the live Rollout; undefined when it is only in a file or was never looked at. */
  readonly status: RolloutStatus | undefined;
  readonly trials: Trials;
  readonly features: Features;
}

export function workloadFindings(sight: WorkloadSight, nowMs: number): readonly Finding[] {
  const { world, plan } = sight;
  const { deployment } = world;
  const refused = plan.refusals
    .filter(({ reason }) => !isAboutTraffic(reason))
    .map(({ reason, message }) => fail(message, reason));
  if (deployment === undefined)
    return refused.length > 0 ? refused : [unknown(`Deployment ${world.spec.target.name} could not be looked at.`)];
  return [
    ...refused,
    ...(refused.length === 0 ? [settling(world, deployment, nowMs)] : []),
    ...guarding(sight, deployment),
    ...rehearsing(sight),
    ...released(sight.status),
  ];
}

/** Services and routes have an area of their own. */
export function isAboutTraffic(reason: string): boolean {
  return reason.startsWith('Service') || reason.startsWith('Route') || reason === 'NameTaken';
}

/** Where it would stand if nothing else were wrong. */
function settling(world: World, deployment: DeploymentView, nowMs: number): Finding {
  const name = `Deployment ${world.spec.target.name}`;
  if (world.memory.journal.attempt !== undefined) return ok(`A release of ${name} is under way.`);
  const { report } = attach(
    {
      ...world,
      rollout: { ...world.rollout, hasFinalizer: true },
      deployment: withoutFaults(deployment),
      services: [],
      routes: [],
      rehearsal: {},
      guard: 'admission',
    },
    nowMs,
  );
  if (report.stalled) return fail(report.message, report.reason);
  if (report.reason !== 'UpToDate') return warn(report.message, report.reason);
  return ok(`${name} is settled: ${deployment.availableReplicas} of ${deployment.replicas} pods are available.`);
}

function guarding({ trials, features, world }: WorkloadSight, deployment: DeploymentView): readonly Finding[] {
  const name = `Deployment ${world.spec.target.name}`;
  if (deployment.attached === 'released' || !features.mutatingPolicies) return [];
  switch (trials.holdsTemplates) {
    case true:
      return [ok(`A dry run of a new template for ${name} came back held.`)];
    case false:
      return [
        warn(
          `A dry run of a new template for ${name} came back as it was: the policy serin-guard does not hold it, so Serin would keep the Deployment paused instead; the platform team installs the policy, or finds out what undoes it.`,
        ),
      ];
    case undefined:
      return [unknown(`Whether a new template of ${name} would be held was not tried: you may not patch it.`)];
    default:
      return trials.holdsTemplates satisfies never;
  }
}

function rehearsing({ trials, plan }: WorkloadSight): readonly Finding[] {
  if (plan.refusals.some(({ reason }) => reason === 'RehearsalRefused')) return [];
  return trials.rehearsal === undefined
    ? [
        unknown(
          'Whether quotas and policies would admit pods of a new version was not tried: you may not create pods and replicasets.',
        ),
      ]
    : [ok('Quotas and policies would admit the first pods of a new version.')];
}

function released(status: RolloutStatus | undefined): readonly Finding[] {
  if (status?.phase === undefined) return [];
  const words = `The Rollout is ${status.phase}: ${status.message ?? ''}`.trimEnd();
  return [isStalled(status) ? fail(words, reasonIn(status)) : ok(words)];
}

/** An older or newer operator may have said a word that is not ours. */
function reasonIn({ reason }: RolloutStatus): Reason | undefined {
  return (Object.keys(REASONS) as Reason[]).find((known) => known === reason);
}
