/** What the operator costs when nothing is released, and how quickly it is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countRequests, describeWrite, releaseWrites } from '../harness/audit.ts';
import { maximum, median } from '../harness/measure.ts';
import type { Operator } from '../harness/operator.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

/** Until the memory of the process has settled after the attaching. */
const settlesMs = 20_000;
const restMs = 120_000;
const starts = 5;

export const rest: Story = {
  name: 'rest',
  title: 'What it costs: at rest, and for a release',
  times: 1,
  alone: true,
  minutes: 5,
  scene: { start: 'attached' },
  play,
  figures: (rows) => {
    const first = (measure: string) => numbersOf(rows, measure)[0] ?? Number.NaN;
    const mib = (measure: string) => `${first(measure).toFixed(0)} MiB`;
    return [
      goal('writes but those of the Lease, in 2 minutes at rest', `${first('writes')}`, '0', first('writes') === 0),
      goal(
        'API requests of a release, without the Lease',
        `${first('requestsOfRelease')}`,
        'at most 60',
        first('requestsOfRelease') <= 60,
      ),
      told('of these', rows.map((row) => textOf(row, 'kindsOfRelease')).join()),
      told('API requests a minute at rest, without the Lease', first('requestsAMinute').toFixed(1)),
      told('of the Lease, a minute', first('leaseAMinute').toFixed(1)),
      told(
        'resident memory at rest, before and after a release; highest',
        `${mib('residentBefore')}, ${mib('residentAfter')}; ${mib('peak')}`,
      ),
      told('start of the process until /readyz answers 200, median', seconds(first('readyMs'))),
      told('start of the process until it leads (Lease free), median', seconds(first('leadsMs'))),
    ];
  },
};

async function play(scene: Scene): Promise<Row> {
  const checks = new Checks();
  await sleep(settlesMs);
  const residentBefore = scene.operator.memory().residentMiB;
  const fromMs = Date.now();
  await sleep(restMs);
  const span = { fromMs, toMs: Date.now() };
  const entries = scene.audit();
  const writes = releaseWrites(entries.filter(({ receivedAt }) => receivedAt >= fromMs));
  const counts = countRequests(entries, span);
  checks.expect(writes.length === 0, `at rest it wrote: ${writes.map(describeWrite).join('; ')}`);
  const { name: version, ...next } = scene.nextVersion();
  const releasedAtMs = await scene.git.release(next);
  const ending = await untilEnded(scene, version, 240_000);
  await sleep(2000);
  const { requests, ...kinds } = countRequests(scene.audit(), { fromMs: releasedAtMs, toMs: ending.atMs + 2000 });
  const { residentMiB: residentAfter, peakMiB: peak } = scene.operator.memory();
  const startTimes = await startAgain(scene);
  return {
    problems: checks.problems,
    writes: writes.length,
    requestsAMinute: (counts.requests * 60_000) / restMs,
    leaseAMinute: (counts.leaseRequests * 60_000) / restMs,
    requestsOfRelease: requests,
    kindsOfRelease: `${kinds.writes} writes, ${kinds.statusWrites} of status, ${kinds.events} Events, ${kinds.reads} reads`,
    residentBefore,
    residentAfter,
    peak,
    ...startTimes,
  };
}

async function startAgain(scene: Scene): Promise<{ readyMs: number; leadsMs: number; slowestMs: number }> {
  const ready: number[] = [];
  const leads: number[] = [];
  for (let round = 0; round < starts; round += 1) {
    await scene.operator.stop();
    const operator = scene.launchOperator();
    const [readyAtMs, leadsAtMs] = await Promise.all([untilReady(operator), operator.untilLeading()]);
    ready.push(readyAtMs - operator.startedAtMs);
    leads.push(leadsAtMs - operator.startedAtMs);
  }
  return { readyMs: median(ready), leadsMs: median(leads), slowestMs: maximum(leads) };
}

async function untilReady(operator: Operator): Promise<number> {
  const isReady = () =>
    fetch(`http://${operator.metricsAddress}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (const endMs = Date.now() + 30_000; Date.now() < endMs; await sleep(10)) if (await isReady()) return Date.now();
  throw new Error(`/readyz did not answer 200 within 30 s.\n${operator.log()}`);
}
