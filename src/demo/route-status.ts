/** Decides what the demo's gateway writes about itself into the status of a route; what other gateways wrote there stays. */
import type { HTTPRoute, ParentRef, RouteParentStatus } from '../traffic/objects.ts';
import type { Routed } from './routing.ts';

export const CONTROLLER_NAME = 'serin.dev/demo-gateway';

/** All entries for the status of this route; a condition keeps its time while it stays as it is. */
export function withParent(
  route: HTTPRoute,
  parentRef: ParentRef,
  seen: Routed,
  nowMs: number,
): readonly RouteParentStatus[] {
  const parents = route.status?.parents ?? [];
  const before = parents.find(({ controllerName }) => controllerName === CONTROLLER_NAME);
  const conditions = conditionsOf(seen).map((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return {
      ...condition,
      observedGeneration: route.metadata.generation ?? 0,
      lastTransitionTime: since ?? new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    };
  });
  const own: RouteParentStatus = { parentRef, controllerName: CONTROLLER_NAME, conditions };
  return [...parents.filter((one) => one !== before), own];
}

function conditionsOf({ unsupported, unresolved }: Routed) {
  return [
    unsupported === undefined
      ? { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }
      : {
          type: 'Accepted',
          status: 'False',
          reason: 'UnsupportedValue',
          message: `the gateway of the demo has no ${unsupported}`,
        },
    unresolved.length === 0
      ? { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' }
      : {
          type: 'ResolvedRefs',
          status: 'False',
          reason: 'BackendNotFound',
          message: `no Service with this port: ${unresolved.join(', ')}`,
        },
  ] as const;
}
