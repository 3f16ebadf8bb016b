/** Opens an attempt: everything that it is about is pinned in the journal, so that no later edit changes it (S3). */
import type { Attempt } from '../../api/rollout-status.ts';
import { JOURNAL_VERSION } from '../../api/rollout-status.ts';
import type { Decision } from '../decision.ts';
import { flagsIn, withFlags } from '../flags.ts';
import { decision, withAttempt } from '../plan.ts';
import { parentKey } from '../views.ts';
import type { DeploymentView, World } from '../world.ts';

export function startAttempt(world: World, deployment: DeploymentView, nowMs: number): Decision {
  const idle = world.routes.filter((route) => !route.parents.some((parent) => parent.accepted));
  if (idle.length > 0)
    return decision(
      world.memory,
      {
        phase: 'Waiting',
        reason: 'RouteNotAccepted',
        message: `No gateway has accepted ${idle.map((route) => `${route.kind} ${route.name}`).join(', ')}; see its status, the release begins when one has.`,
        stalled: true,
      },
      { wakeAfterMs: 5000 },
    );
  const attempt = newAttempt(world, deployment, nowMs);
  const { number } = attempt;
  // Another revision decides anew about flags; the flags themselves are left as they are.
  const lifted = withFlags(
    world.memory,
    flagsIn(world.memory).filter(({ state, revision }) => state === 'reverting' || revision === attempt.hash),
  );
  const memory = withAttempt(
    { ...lifted, journal: { ...lifted.journal, version: JOURNAL_VERSION, attempts: number } },
    attempt,
  );
  const message = `Release of revision ${attempt.hash} (${attempt.image}) began; ${world.memory.stable?.hash ?? ''} is stable. ${unsureWords(attempt)}`;
  return decision(
    memory,
    { phase: 'Progressing', reason: 'ReleaseStarted', message, stalled: false },
    {
      events: [{ type: 'Normal', reason: 'ReleaseStarted', message }],
      wakeAfterMs: 0,
    },
  );
}

/** Said before anybody waits: what happens where nothing can be proved. */
function unsureWords({ noSource, spec: { analysis } }: Attempt): string {
  const { afterMs, do: wish } = analysis.whenUnsure;
  const then = { proceed: 'goes on', hold: 'waits for a person', rollback: 'goes back' }[wish];
  const after = `after ${Math.round(afterMs / 1000)}s it ${then}`;
  if (noSource)
    return `No metric source is configured, only readiness and restarts are watched; in each step, ${after}.`;
  const mode = analysis.mode === 'observe' ? 'Mode observe: nothing is done about what the judge says. ' : '';
  return `${mode}With too few requests to tell in a step, ${after}.`;
}

function newAttempt(world: World, deployment: DeploymentView, nowMs: number): Attempt {
  const number = world.memory.journal.attempts + 1;
  return {
    number,
    hash: deployment.liveHash,
    image: deployment.liveImage,
    record: recordName(world.spec.target.name, deployment.liveHash, number),
    replicaSet: canaryName(world.spec.target.name, deployment.liveHash),
    targetUid: deployment.uid,
    spec: pinnable(world.spec),
    parents: world.routes.flatMap((route) =>
      route.parents.filter((parent) => parent.accepted).map((parent) => parentKey(route, parent.key)),
    ),
    beganAtMs: nowMs,
    stage: 'begin',
    stageSinceMs: nowMs,
    step: 0,
    weightPercent: 0,
    weightSinceMs: nowMs,
    noSource: world.answer.kind === 'noSource',
  };
}

/** `<deployment>-<hash>-<attempt>`, the Deployment's part cut so that the whole stays a valid name. */
export function recordName(deployment: string, hash: string, attempt: number): string {
  const tail = `-${hash}-${attempt}`;
  return `${cut(deployment, 253 - tail.length)}${tail}`;
}

/** `<deployment>-<hash>`, cut in the same way. */
export function canaryName(deployment: string, hash: string): string {
  return `${cut(deployment, 252 - hash.length)}-${hash}`;
}

function cut(name: string, length: number): string {
  return name.slice(0, length).replace(/[-.]+$/, '');
}

/** The part of a spec that an attempt pins, as plain mutable data for the journal. */
export function pinnable(spec: World['spec']): Attempt['spec'] {
  return {
    target: { ...spec.target },
    traffic: {
      ...spec.traffic,
      routes: spec.traffic.routes.map((route) => ({ ...route })),
      alsoReachable: [...spec.traffic.alsoReachable],
    },
    strategy: { ...spec.strategy, steps: spec.strategy.steps.map((step) => ({ ...step })) },
    analysis: {
      ...spec.analysis,
      metrics: spec.analysis.metrics.map((metric) => ({ ...metric })),
      whenUnsure: { ...spec.analysis.whenUnsure },
      onSourceDown: { ...spec.analysis.onSourceDown },
      alerts: spec.analysis.alerts.map((alert) => ({ ...alert })),
    },
    onAnomaly: spec.onAnomaly.map((rung) => ({ ...rung })),
  };
}
