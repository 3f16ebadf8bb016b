/** Every state that a few disturbances can lead to keeps every invariant, and comes to rest or asks for a person. */
import { CHECKS } from './checks.ts';
import { type Cluster, controller } from './cluster.ts';
import { type Grain, type Move, gatewayTakes, keyOf, moves, podsGoOn, serin, start, time } from './moves.ts';

interface Seen {
  readonly cluster: Cluster;
  readonly disturbances: number;
  readonly from?: Seen;
  readonly by: string;
}

function pathOf(seen: Seen | undefined): string {
  return seen === undefined ? '' : `${pathOf(seen.from)}\n${seen.by}`;
}

function explore(grain: Grain, mostDisturbances: number, visit: (seen: Seen) => void): number {
  const first: Seen = { cluster: start(), disturbances: 0, by: 'start' };
  const known = new Set([keyOf(first.cluster, 0)]);
  const open = [first];
  for (let seen = open.pop(); seen !== undefined; seen = open.pop()) {
    if (seen.cluster.gone) continue;
    visit(seen);
    for (const move of moves(seen.cluster, grain)) {
      if (move.disturbs && seen.disturbances >= mostDisturbances) continue;
      verify(seen, move);
      const disturbances = seen.disturbances + (move.disturbs ? 1 : 0);
      const key = keyOf(move.next, disturbances);
      if (known.has(key)) continue;
      known.add(key);
      open.push({ cluster: move.next, disturbances, from: seen, by: move.name });
    }
  }
  return known.size;
}

function verify(seen: Seen, move: Move): void {
  for (const [name, check] of Object.entries(CHECKS)) {
    const broken = check(seen.cluster, move);
    if (broken === undefined) continue;
    throw new Error(
      `${name}: ${broken}${pathOf(seen)}\n${move.name}\ndecided: ${JSON.stringify(move.decided)}\nstate: ${JSON.stringify(seen.cluster)}`,
    );
  }
}

/** Nothing disturbs any more and everybody does their part: where does it end? */
function comesToRest(cluster: Cluster, calm: Set<string>): string | undefined {
  const path: string[] = [];
  let at = cluster;
  for (let round = 0; round < 80; round++) {
    const key = keyOf(at, 0);
    if (calm.has(key)) break;
    path.push(key);
    const move = serin(at);
    const report = move.decided?.report;
    const isQuiet = move.decided?.effects.length === 0 && keyOf(move.next, 0) === key;
    if (at.gone) break;
    if (isQuiet && (report?.stalled === true || at.memory.journal.attempt === undefined)) {
      const litter = litterOf(at);
      if (litter !== undefined && at.memory.journal.attempt === undefined) return litter;
      break;
    }
    at = isQuiet ? time(move.next, 1) : move.next;
    at = gatewayTakes(controller(podsGoOn(at)));
    if (round === 79) return `never comes to rest: ${report?.phase} ${report?.reason} ${report?.message}`;
  }
  for (const key of path) calm.add(key);
  return undefined;
}

function litterOf(cluster: Cluster): string | undefined {
  if (cluster.pinnedTo !== undefined) return 'a pin is left at rest';
  if (cluster.canaryService !== undefined) return 'the canary Service is left at rest';
  if (cluster.weight !== undefined) return 'the route is split at rest';
  if (cluster.maxSurge !== '25%') return 'maxSurge is not the user’s at rest';
  if (cluster.records.length > 0) return 'a record is open at rest';
  return undefined;
}

function check(grain: Grain, disturbances: number): number {
  const calm = new Set<string>();
  return explore(grain, disturbances, (seen) => {
    const stuck = comesToRest(seen.cluster, calm);
    if (stuck !== undefined)
      throw new Error(`S8, S10: ${stuck}${pathOf(seen)}\nstate: ${JSON.stringify(seen.cluster)}`);
  });
}

test('with one disturbance at any moment and a crash between any two effects, every invariant holds and every path comes to rest or asks for a person', () => {
  const states = check('fine', 1);
  process.stderr.write(`model check, fine: ${states} states\n`);
  expect(states).toBeGreaterThan(5_000);
}, 300_000);

test('with two disturbances or crashes one after the other, the same', () => {
  const states = check('coarse', 2);
  process.stderr.write(`model check, coarse: ${states} states\n`);
  expect(states).toBeGreaterThan(5_000);
}, 300_000);
