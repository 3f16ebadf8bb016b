/**
 * `kill -9` of the operator directly before and directly after each of its writes, restarted 10 s later: the release ends as
 * if nothing had happened. Processes die in turns: one after its first write, the next before it can make its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { leases } from '../../../src/kube/resources.ts';
import { describeWrite, releaseWrites } from '../harness/audit.ts';
import { countLost, sum } from '../harness/measure.ts';
import { describeEnd, leaseName } from '../harness/operator.ts';
import { untilEnded, untilStage } from '../harness/release.ts';
import type { Ending } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';
import { podsCreatedSince } from './good.ts';

const restartAfterMs = 10_000;
const longestMs = 45 * 60_000;

export const killGood = killStory(
  'kill-good',
  'Good release, the operator killed before and after each write',
  0,
  'promoted',
);
export const killBad = killStory(
  'kill-bad',
  'Bad release, the operator killed before and after each write',
  0.5,
  'rolledBack',
);

function killStory(name: string, title: string, errorRate: number, expected: Ending['kind']): Story {
  return {
    name,
    title,
    times: 1,
    alone: false,
    minutes: 20,
    scene: { start: 'attached' },
    play: (scene) => play(scene, errorRate, expected),
    figures: (rows) => {
      const lost = sum(numbersOf(rows, 'lost'));
      const endings = rows.map((row) => textOf(row, 'ending'));
      return [
        goal(
          'outcome',
          endings.join(', '),
          expected,
          endings.every((one) => one === expected),
        ),
        goal('requests lost', `${lost}`, '0', lost === 0),
        told(
          'killed before a write, killed after a write',
          `${sum(numbersOf(rows, 'before'))}, ${sum(numbersOf(rows, 'after'))}`,
        ),
        told('writes of the release', `${sum(numbersOf(rows, 'writes'))}`),
        told('pods created', numbersOf(rows, 'created').join(', ')),
        told('time', seconds(sum(numbersOf(rows, 'tookMs')))),
      ];
    },
  };
}

/** One kill at a step, for the quick run: the operator is gone for 5 s while users are on the new version. */
export async function playOneKill(scene: Scene): Promise<Row> {
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion();
  const fromMs = await scene.git.release(next);
  await untilStage(scene, version, 'step', 1, 150_000);
  await scene.operator.kill();
  await sleep(restartAfterMs / 2);
  await scene.startOperator();
  const ending = await untilEnded(scene, version, 240_000);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  const created = podsCreatedSince(scene, fromMs);
  checks.expect(ending.kind === 'promoted', `${version} was ${ending.kind}: ${ending.message}`);
  checks.expect(created === 4, `${created} pods were created, 4 expected`);
  return { problems: checks.problems, ending: ending.kind, lost, created };
}

interface Deaths {
  before: number;
  after: number;
  readonly writes: string[];
}

async function play(scene: Scene, errorRate: number, expected: Ending['kind']): Promise<Row> {
  const checks = new Checks();
  await scene.operator.stop();
  const { name: version, ...next } = scene.nextVersion(errorRate);
  const fromMs = await scene.git.release(next);
  const deaths: Deaths = { before: 0, after: 0, writes: [] };
  const ending = await killUntilEnded(scene, version, fromMs, deaths);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: Date.now() }, checks);
  const created = podsCreatedSince(scene, fromMs);
  checks.expect(ending.kind === expected, `${version} was ${ending.kind}: ${ending.message}`);
  if (expected === 'promoted') checks.expect(created === 4, `${created} pods were created, 4 expected`);
  checks.expect(
    deaths.before > 5 && deaths.after > 5,
    `the operator was killed ${deaths.before} times before and ${deaths.after} times after a write`,
  );
  const badAnswers = scene.load.snapshot().badAnswers(version, { from: fromMs }).length;
  return {
    problems: checks.problems,
    ending: ending.kind,
    before: deaths.before,
    after: deaths.after,
    writes: deaths.writes.length,
    lost,
    created,
    badAnswers,
    tookMs: ending.atMs - fromMs,
    writesInOrder: deaths.writes,
  };
}

/** Starts operators that die until the release has ended; the last one lives, because nothing is left to write. */
async function killUntilEnded(scene: Scene, version: string, fromMs: number, deaths: Deaths): Promise<Ending> {
  let inVain = 0;
  const end = untilEnded(scene, version, longestMs);
  // Waited for in each turn; a failure elsewhere must not make it an error that nobody listens to.
  end.catch(() => undefined);
  for (let turn = 0; Date.now() < fromMs + longestMs; turn += 1) {
    const when = turn % 2 === 0 ? 'after' : 'before';
    // Should the first write of every process be news of status alone, nothing would ever come after it.
    const write = 1 + Math.min(2, Math.floor(inVain / 4));
    const writesBefore = writesSince(scene, fromMs).length;
    const operator = scene.launchOperator(`${when}:${write}`);
    const ending = await Promise.race([end, operator.ended]);
    if ('kind' in ending) return ending;
    if (ending.signal !== 'SIGKILL')
      throw new Error(`the operator ended by itself (${describeEnd(ending)}).\n${operator.log()}`);
    deaths[when] += 1;
    const fresh = writesSince(scene, fromMs).slice(writesBefore);
    deaths.writes.push(...fresh.map(describeWrite));
    const progressed = fresh.some(({ subresource }) => subresource !== 'status');
    inVain = progressed ? 0 : inVain + 1;
    await sleep(restartAfterMs);
    // The dead process's Lease runs for some seconds more, which would only make each of the many turns longer.
    await scene.ground.admin.delete(leases, { namespace: 'serin-system', name: leaseName(scene.namespace) });
  }
  throw new Error(
    `the release of ${version} did not end within ${longestMs / 60_000} minutes of kills (${deaths.before + deaths.after}). ${scene.diagnosis()}`,
  );
}

function writesSince(scene: Scene, fromMs: number) {
  return releaseWrites(scene.audit()).filter(({ receivedAt }) => receivedAt >= fromMs);
}
