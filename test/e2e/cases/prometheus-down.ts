/** The metric source is gone for a minute at each stage: nothing rises, nothing goes back, and status says why. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countLost, sum } from '../harness/measure.ts';
import type { StatusMoment } from '../harness/observe.ts';
import { describeMoment } from '../harness/observe.ts';
import { endingOf, momentsSince, untilEnded, untilStage, untilWeight } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const outageMs = 60_000;
/** Decided on what was known before: a sample of the last scrape may still be read in the second of the outage. */
const knownBeforeMs = 2_000;
/** How soon status has to say so: three scrapes that do not come, a question, its timeout and the next look. */
const saysSoWithinMs = 30_000;

/** Which stage, and how an onlooker knows that it is reached. */
const stages = [
  { name: 'begin', stage: 'begin', step: undefined, weight: undefined, says: false },
  { name: '10%', stage: 'step', step: 0, weight: 10, says: true },
  { name: '25%', stage: 'step', step: 1, weight: 25, says: true },
  { name: '50%', stage: 'step', step: 2, weight: 50, says: true },
  { name: 'bake', stage: 'bake', step: undefined, weight: 100, says: true },
  { name: 'promote', stage: 'promote', step: undefined, weight: undefined, says: false },
] as const;

export const prometheusDown: Story = {
  name: 'prometheus-down',
  title: 'Prometheus stopped at each stage for 60 s',
  times: 1,
  alone: true,
  minutes: 9,
  scene: { start: 'attached' },
  play,
  figures: (rows) => {
    const outages = rows.flatMap((row) => (row['outages'] as Outage[] | undefined) ?? []);
    const rises = outages.flatMap((one) => one.rises);
    const silent = outages.filter((one) => one.says === false);
    const lost = sum(numbersOf(rows, 'lost'));
    const endings = rows.map((row) => textOf(row, 'ending'));
    return [
      goal('weights that rose meanwhile', `${rises.length} in ${outages.length} outages`, '0', rises.length === 0),
      goal(
        'rolled back',
        endings.includes('promoted') ? '0' : endings.join(),
        '0',
        endings.every((one) => one === 'promoted'),
      ),
      goal('outages that status did not name', `${silent.length}`, '0', silent.length === 0),
      goal('requests lost', `${lost}`, '0', lost === 0),
      told('what status said', outages.find((one) => one.said !== undefined)?.said ?? ''),
    ];
  },
};

interface Outage {
  readonly stage: string;
  readonly rises: readonly string[];
  /** Undefined where the stage asks nothing of the source. */
  readonly says: boolean | undefined;
  readonly said: string | undefined;
}

async function play(scene: Scene): Promise<Row> {
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion();
  const outages: Outage[] = [];
  const fromMs = await scene.git.release(next);
  for (const one of stages) {
    await untilStage(scene, version, one.stage, one.step, 150_000);
    if (one.weight !== undefined) await untilWeight(scene, one.weight, 30_000);
    const outage = await takeAway(scene, one.name, one.says);
    outages.push(outage);
    checks.expect(
      outage.rises.length === 0,
      `at ${one.name} the weight rose without a source: ${outage.rises.join('; ')}`,
    );
    checks.expect(
      outage.says !== false,
      `at ${one.name} status did not say that the source is down: ${outage.said ?? 'nothing new'}`,
    );
    const ending = endingOf(scene, version);
    checks.expect(ending?.kind !== 'rolledBack', `at ${one.name} it was rolled back: ${ending?.message ?? ''}`);
    if (ending !== undefined) break;
  }
  const ending = await untilEnded(scene, version, 240_000);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  checks.expect(ending.kind === 'promoted', `the healthy ${version} was rolled back: ${ending.message}`);
  return { problems: checks.problems, ending: ending.kind, lost, outages, tookMs: ending.atMs - fromMs };
}

async function takeAway(scene: Scene, stage: string, says: boolean): Promise<Outage> {
  const { prometheus } = scene.ground.cluster;
  await prometheus.stop();
  const fromMs = Date.now();
  try {
    await sleep(outageMs);
  } finally {
    await prometheus.start();
  }
  const moments = momentsSince(scene, fromMs, fromMs + outageMs);
  const before = scene.watcher.history.filter(({ atMs }) => atMs < fromMs + knownBeforeMs).at(-1);
  const said = [...(before === undefined ? [] : [before]), ...moments].find(isAboutTheSource);
  const isInTime = said !== undefined && said.atMs - fromMs <= saysSoWithinMs;
  return { stage, rises: risesIn(before, moments), says: says ? isInTime : undefined, said: said?.message };
}

function risesIn(before: StatusMoment | undefined, moments: readonly StatusMoment[]): string[] {
  let weight = before?.weightPercent ?? 0;
  const rises: string[] = [];
  for (const moment of moments) {
    const isKnown = before !== undefined && moment.atMs <= before.atMs;
    if (moment.weightPercent > weight && !isKnown) rises.push(describeMoment(moment));
    weight = moment.weightPercent;
  }
  return rises;
}

function isAboutTheSource({ reason, verdict }: StatusMoment): boolean {
  return reason === 'SourceDown' || reason === 'SourceNeverAnswered' || verdict === 'SourceDown';
}
