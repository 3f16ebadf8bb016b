/** Takes canaries out of routes where no operator does it: weight 0, what is under way ends, then the backend. It never waits for ever. */
import { builtInDefaults } from '../api/effective.ts';
import { parseDurationMs } from '../api/duration.ts';
import { httpRoutes } from '../kube/resources.ts';
import { ConvergenceWatch } from '../traffic/convergence.ts';
import { splitRoute, viewRoute } from '../traffic/gateway-api.ts';
import type { HTTPRoute } from '../traffic/objects.ts';
import type { Hand } from './by-hand.ts';
import { onCurrent } from './by-hand-release.ts';
import type { Rollout } from './stores.ts';
import { findTraces, type RouteSplit } from './traces.ts';

/** After this long a gateway that has not taken up a route is no longer waited for. */
const CONVERGE_DEADLINE_MS = 60_000;
const POLL_MS = 500;

export async function takeOutOfRoutes(hand: Hand, namespace: string, signal?: AbortSignal): Promise<void> {
  const { splits, rollouts } = await findTraces(hand.client, namespace, signal);
  if (splits.length === 0) return;
  for (const split of splits) await writeSplit(hand, split, 0, signal);
  hand.say(`in ${namespace} no route sends requests to a new version any more; waiting for those under way`);
  await taken(hand, splits, longestDrainMs(rollouts), signal);
  for (const split of splits) await writeSplit(hand, split, 'out', signal);
  await taken(hand, splits, 0, signal);
  for (const { route } of splits) hand.say(`HTTPRoute ${namespace}/${route.metadata.name} is as its owner wrote it`);
}

/** The route as it is now. One with sessions loses the canary at once: weight 0 would not move them. */
function writeSplit(
  hand: Hand,
  { route, service }: RouteSplit,
  weightPercent: 0 | 'out',
  signal?: AbortSignal,
): Promise<void> {
  const work = async (live: HTTPRoute): Promise<void> => {
    const seen = { name: live.metadata.name, route: live, service };
    const { sessionPersistence } = viewRoute(seen, new ConvergenceWatch(hand.clock));
    await splitRoute(hand.client, live, service, sessionPersistence ? 'out' : weightPercent, signal);
  };
  return onCurrent<HTTPRoute>(hand, httpRoutes, route, work, signal);
}

/** Comes back when every gateway has accepted each route as it is for as long as it takes to settle, and `drainMs` after that. */
async function taken(hand: Hand, splits: readonly RouteSplit[], drainMs: number, signal?: AbortSignal): Promise<void> {
  const { client, clock } = hand;
  const watch = new ConvergenceWatch(clock);
  const untilMs = clock.monotonicMs() + CONVERGE_DEADLINE_MS + drainMs;
  let late = [...splits];
  while (late.length > 0 && clock.monotonicMs() < untilMs) {
    const still: RouteSplit[] = [];
    for (const split of late) {
      const route = await client.find<HTTPRoute>(httpRoutes, split.route.metadata, {}, signal);
      const { parents } = viewRoute({ name: split.route.metadata.name, route, service: split.service }, watch);
      if (!parents.every((one) => one.accepted && one.acceptedForMs >= one.settleMs + drainMs)) still.push(split);
    }
    late = still;
    if (late.length > 0) await clock.sleep(POLL_MS, signal);
  }
  for (const { route } of late)
    hand.say(
      `no gateway says that it has taken up HTTPRoute ${route.metadata.namespace ?? ''}/${route.metadata.name}; going on`,
    );
}

function longestDrainMs(rollouts: readonly Rollout[]): number {
  return Math.max(...rollouts.map(drainMsOf), parseDurationMs(builtInDefaults.drain));
}

function drainMsOf({ spec }: Rollout): number {
  const drain = (spec as { traffic?: { drain?: unknown } } | undefined)?.traffic?.drain;
  try {
    return typeof drain === 'string' ? parseDurationMs(drain) : 0;
  } catch {
    return 0;
  }
}
