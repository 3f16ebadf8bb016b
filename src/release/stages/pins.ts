/** Keeps every Service that callers use on stable's pods while a release runs, and off them when stable has none (S16). */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Effect, Report } from '../decision.ts';
import { stableSet } from '../views.ts';
import type { ServiceView, World } from '../world.ts';

export interface Pinning {
  readonly effects: readonly Effect[];
  readonly refusal?: Report;
}

export function pinning(world: World, attempt: Attempt): Pinning {
  const stable = stableSet(world);
  if (stable === undefined || stable.ready === 0) return { effects: dropped(world) };
  const wanted = world.services.filter((service) => isPinnable(service));
  const open = wanted.filter((service) => service.pinnedTo !== stable.hash);
  const shared = open.find((service) => service.strangers.length > 0);
  if (shared !== undefined) return { effects: [], refusal: sharedReport(shared, attempt) };
  const dead = wanted.find((service) => isDead(service, stable.uid));
  if (dead !== undefined)
    return { effects: [{ kind: 'unpin', service: dead.name }], refusal: sharedReport(dead, attempt) };
  return { effects: open.map((service) => ({ kind: 'pin', service: service.name, hash: stable.hash })) };
}

function isPinnable(service: ServiceView): boolean {
  return service.exists && service.kind === 'selects' && service.role !== 'alsoReachable';
}

/** Pinned, stable has ready pods, and yet the Service's endpoints are all somebody else's: the pin would drop them. */
function isDead(service: ServiceView, stableUid: string): boolean {
  return service.pinnedTo !== undefined && (service.readyOf[stableUid] ?? 0) === 0 && service.strangers.length > 0;
}

function dropped(world: World): readonly Effect[] {
  return world.services
    .filter((service) => service.exists && service.pinnedTo !== undefined)
    .map((service) => ({ kind: 'unpin', service: service.name }));
}

function sharedReport(service: ServiceView, attempt: Attempt): Report {
  return {
    phase: 'Waiting',
    reason: 'ServiceShared',
    message: `Service ${service.name} also selects pods of ${service.strangers.slice(0, 3).join(', ')}; the release of ${attempt.hash} would cut them off. Narrow its selector, or list it in traffic.alsoReachable.`,
    stalled: true,
  };
}
