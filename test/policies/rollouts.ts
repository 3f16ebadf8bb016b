/** Serin's own kinds as the policy tests write them. */
import { pathTo } from './api-server.ts';

const apiVersion = 'serin.dev/v1alpha1';

export function serinPath(plural: string, namespace: string, name?: string): string {
  return pathTo(apiVersion, plural, namespace, name);
}

/** A Rollout for the Deployment, Service and HTTPRoute of the same name. */
export function rollout(name: string, traffic: object = {}) {
  return {
    apiVersion,
    kind: 'Rollout',
    metadata: { name },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      traffic: { service: name, routes: [{ kind: 'HTTPRoute', name }], ...traffic },
    },
  };
}

export function action(rolloutName: string, spec: object = {}) {
  return {
    apiVersion,
    kind: 'RolloutAction',
    metadata: { generateName: `${rolloutName}-` },
    spec: { rollout: rolloutName, action: 'pause', ...spec },
  };
}

/** The record of a running attempt, with the finalizer that makes it an anchor. */
export function anchor(name: string, finalizers: readonly string[] = ['serin.dev/anchor']) {
  const waits = { whenUnsure: { afterMs: 1, do: 'hold' }, onSourceDown: { afterMs: 1, do: 'hold' } };
  return {
    apiVersion,
    kind: 'ReleaseRecord',
    metadata: { name, finalizers },
    spec: {
      rollout: 'shop',
      rolloutUid: 'a',
      deployment: 'shop',
      deploymentUid: 'b',
      revision: '7f9c4d8b2x',
      attempt: 1,
      traffic: { service: 'shop', routes: [], alsoReachable: [], drainMs: 1 },
      strategy: { steps: [], bakeMs: 1, podsReadyWithinMs: 1, allowTwoVersions: false },
      analysis: { confidencePercent: 99, errors: { tolerate: '10%', ruleOut: '2x' }, ...waits },
    },
  };
}
