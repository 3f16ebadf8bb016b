/** Keeps every Service that callers use on stable's pods while a release runs, and off them when stable has none (S16). */
import type { Attempt } from '../../api/rollout-status.ts';
import type { Effect, Report } from '../decision.ts';
import { isOpenToBoth } from '../sharing.ts';
import { pinnedServices, stableSet } from '../views.ts';
import type { ServiceView, World } from '../world.ts';

export interface Pinning {
  readonly effects: readonly Effect[];
  /** A Service that cannot be pinned: through it callers could reach the canary, or the pin would cut others off. */
  readonly refusal?: Report;
}

/** What brings every Service to where it belongs; one that cannot be pinned keeps no other from it. */
export function pinning(world: World, attempt: Attempt): Pinning {
  const stable = stableSet(world);
  if (stable === undefined || stable.ready === 0) return { effects: unpinning(world) };
  const isOpen = isOpenToBoth(attempt);
  const wanted = world.services.filter((service) => isPinnable(service) && !(isOpen && service.role === 'named'));
  const open = wanted.filter((service) => service.pinnedTo !== stable.hash);
  const dead = wanted.find((service) => isDead(service, stable.uid));
  const shared = open.find((service) => service.strangers.length > 0) ?? dead;
  const effects: readonly Effect[] = [
    ...(dead === undefined ? [] : [{ kind: 'unpin', service: dead.name } as const]),
    ...(isOpen ? opening(world) : []),
    ...open
      .filter((service) => service.strangers.length === 0)
      .map((service): Effect => ({ kind: 'pin', service: service.name, hash: stable.hash })),
  ];
  return shared === undefined ? { effects } : { effects, refusal: sharedReport(shared, attempt) };
}

/** Without routes the users' own Service takes in both versions while a step or the bake lasts. */
function opening(world: World): readonly Effect[] {
  return pinnedServices(world)
    .filter((service) => service.role === 'named')
    .map((service): Effect => ({ kind: 'unpin', service: service.name }));
}

/** Every pin off, whatever it points to. */
export function unpinning(world: World): readonly Effect[] {
  return pinnedServices(world).map((service): Effect => ({ kind: 'unpin', service: service.name }));
}

function isPinnable(service: ServiceView): boolean {
  return service.exists && service.kind === 'selects' && service.role !== 'alsoReachable';
}

/** Pinned, stable has ready pods, and yet the Service's endpoints are all somebody else's: the pin would drop them. */
function isDead(service: ServiceView, stableUid: string): boolean {
  return service.pinnedTo !== undefined && (service.readyOf[stableUid] ?? 0) === 0 && service.strangers.length > 0;
}

function sharedReport(service: ServiceView, attempt: Attempt): Report {
  return {
    phase: 'Waiting',
    reason: 'ServiceShared',
    message: `Service ${service.name} also selects pods of ${service.strangers.slice(0, 3).join(', ')}; the release of ${attempt.hash} would cut them off. Narrow its selector, or list it in traffic.alsoReachable.`,
    stalled: true,
  };
}
