/** Walks through everything that can happen in one setup, asks every check of every move, and says where each state comes to rest. */
import { DECISION_CHECKS, stepOf, WORLD_CHECKS } from './checks.ts';
import type { Cluster } from './cluster.ts';
import { isQuiet, keyOf, type Move, moves, serin, time, worldGoesOn } from './moves.ts';
import type { Setup } from './setup.ts';

export interface Explored {
  readonly states: number;
  readonly transitions: number;
}

interface Seen {
  readonly cluster: Cluster;
  readonly disturbances: number;
  readonly from?: Seen;
  readonly by: string;
}

/** Throws with the whole path when something does not hold. */
export function explore(setup: Setup): Explored {
  const first: Seen = { cluster: setup.start, disturbances: 0, by: 'start' };
  const known = new Set([keyOf(first.cluster, 0)]);
  const calm = new Set<string>();
  const open = [first];
  let transitions = 0;
  // Nearest first, so that what is found broken has a short path.
  for (const seen of open) {
    if (seen.cluster.gone) continue;
    settle(setup, seen, calm);
    for (const move of moves(seen.cluster, setup, seen.disturbances < setup.disturbances)) {
      transitions++;
      verify(setup, seen, move);
      const disturbances = seen.disturbances + (move.disturbs ? 1 : 0);
      const key = keyOf(move.next, disturbances);
      if (known.has(key)) continue;
      known.add(key);
      open.push({ cluster: move.next, disturbances, from: seen, by: move.name });
    }
  }
  return { states: known.size, transitions };
}

function verify(setup: Setup, seen: Seen, move: Move): void {
  const step = stepOf(setup, seen.cluster, move);
  const asked = move.name === 'serin' ? [DECISION_CHECKS, WORLD_CHECKS] : [WORLD_CHECKS];
  for (const checks of asked)
    for (const [name, holds] of Object.entries(checks)) {
      const broken = holds(step);
      if (broken !== undefined) throw fault(setup, seen, `${name}: ${broken}`, move);
    }
}

/** Nothing disturbs any more and everybody does their part: it must end at rest, or with a person being asked (S8, S10). */
function settle(setup: Setup, seen: Seen, calm: Set<string>): void {
  const path: string[] = [];
  let at = seen.cluster;
  for (let round = 0; round < LONGEST; round++) {
    const key = keyOf(at, 0);
    if (calm.has(key) || at.gone) break;
    path.push(key);
    const move = serin(at, setup);
    const isIdle = isQuiet(at, move);
    const end = isIdle ? endOf(at, move) : 'busy';
    if (end === 'rest' || end === 'asks') break;
    if (end !== 'busy') throw fault(setup, seen, `S10: ${end}`, move);
    if (round === LONGEST - 1) throw fault(setup, seen, 'S8: it never comes to rest', move);
    at = worldGoesOn(isIdle ? time(move.next, 1) : move.next);
  }
  for (const key of path) calm.add(key);
}

const LONGEST = 120;

/** `rest`, `asks` (a person), `busy`, or what is left where nothing of Serin's may be. */
function endOf(at: Cluster, { decided }: Move): string {
  const isAttempting = at.memory.journal.attempt !== undefined;
  // Scaled to zero, it is for whoever scales to go on; nothing else is being waited for.
  const isAsking = decided?.report.stalled === true || decided?.report.reason === 'ScaledToZero';
  if (isAttempting) return isAsking ? 'asks' : 'busy';
  const litter = litterOf(at);
  if (litter !== undefined) return litter;
  const isWaiting = decided?.report.phase === 'Attaching' && !decided.report.stalled;
  return isWaiting ? 'busy' : 'rest';
}

function litterOf(at: Cluster): string | undefined {
  if (at.pinnedTo !== undefined) return 'a pin is left at rest';
  if (at.canaryService !== undefined) return 'the canary Service is left at rest';
  if (at.routes.some((route) => route.weight !== undefined)) return 'a route is split at rest';
  if (at.maxSurge !== '25%' || at.maxSurgeBefore !== undefined) return 'maxSurge is not the user’s at rest';
  if (at.records.length > 0) return 'a record is open at rest';
  return heldForNothing(at) ?? spareSets(at);
}

/** With the stable template live and the workload attached, nothing holds the Deployment. */
function heldForNothing(at: Cluster): string | undefined {
  const stable = at.sets.find((set) => set.uid === at.memory.stable?.uid);
  const isAtRest = at.deployment !== 0 && at.attached === 'yes' && stable?.template === at.live;
  return isAtRest && at.held ? 'the Deployment is held at rest' : undefined;
}

function spareSets(at: Cluster): string | undefined {
  const witnesses = at.memory.quarantined.length;
  const ours = at.sets.filter((set) => set.owner === 'ours');
  if (ours.some((set) => set.replicas > 0)) return 'pods of ours run at rest';
  return ours.length > witnesses ? 'a ReplicaSet of ours that shows nothing is left at rest' : undefined;
}

function pathOf(seen: Seen | undefined): readonly string[] {
  return seen === undefined ? [] : [...pathOf(seen.from), seen.by];
}

function fault(setup: Setup, seen: Seen, what: string, move: Move): Error {
  const { spec: _spec, ...attempt } = move.decided?.memory.journal.attempt ?? { spec: undefined };
  const { memory, answer: _answer, ...cluster } = seen.cluster;
  const { journal: _journal, ...rest } = memory;
  const report = move.decided?.report;
  return new Error(
    [
      `${setup.name}: ${what}`,
      ...pathOf(seen),
      `-> ${move.name}`,
      `told: ${report?.phase} ${report?.reason} ${report?.message}`,
      `effects: ${JSON.stringify(move.decided?.effects)}`,
      `attempt: ${JSON.stringify(attempt)}`,
      `memory: ${JSON.stringify(rest)}`,
      `cluster: ${JSON.stringify(cluster)}`,
    ].join('\n'),
  );
}
