/** Versions that cost more, in CPU or in calls of an API with a price: held with a sentence and never rolled back by it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metric } from '../../../src/api/metric.ts';
import { abort } from '../harness/abort.ts';
import { countLost, maximum, sum } from '../harness/measure.ts';
import type { StatusMoment } from '../harness/observe.ts';
import { endingOf, untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import type { Version } from '../harness/shop.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const withinMs = 10 * 60_000;
/** What a request costs before: 0.3 CPUs at 100 requests a second, and one call of the priced API. */
const usual = { cpuMsPerRequest: 3, callsPerRequest: 1 };
const resources = { requests: { cpu: '100m', memory: '32Mi' } };
const metrics: readonly Metric[] = [
  { cost: { tolerate: '15%', maxExtraPerMonth: 1 } },
  {
    price: {
      name: 'payments',
      counter: 'priced_calls_total',
      unitPrice: 0.000_002,
      tolerate: '15%',
      maxExtraPerMonth: 100,
    },
  },
];
/** The extra calls of twice as many: 100 a second in a month of 730 hours, times the price. */
const extraOfCalls = 100 * 730 * 3600 * 0.000_002;

const dearerCpu = heldStory({
  name: 'cost-cpu',
  title: '60 % more CPU for each request',
  dearer: { ...usual, cpuMsPerRequest: 1.6 * usual.cpuMsPerRequest },
  says: (message) => /CPU/.test(message) && /\d+ ?%/.test(message) && /\d+(\.\d+)? USD/.test(message),
  asked: 'percent of CPU, and the money',
});

const dearerCalls = heldStory({
  name: 'cost-price',
  title: 'An API with a price called twice as often',
  dearer: { ...usual, callsPerRequest: 2 * usual.callsPerRequest },
  says: (message) => /payments/.test(message) && amountsOf(message).some(isAbout(extraOfCalls)),
  asked: `about ${extraOfCalls.toFixed(0)} USD more a month`,
});

const same: Story = {
  name: 'cost-same',
  title: 'The same settings, and a version that costs what the one before does',
  times: 1,
  alone: false,
  minutes: 8,
  scene: { start: 'attached', first: usual, metrics, resources },
  play: playSame,
  figures: (rows) => {
    const held = rows.filter((row) => row['ending'] !== 'promoted').length;
    const lost = sum(numbersOf(rows, 'lost'));
    return [
      goal('held', `${held} of ${rows.length}`, '0', held === 0),
      goal('requests lost', `${lost}`, '0', lost === 0),
      told('time of the release', numbersOf(rows, 'tookMs').map(seconds).join(', ')),
    ];
  },
};

export const costStories: readonly Story[] = [dearerCpu, same, dearerCalls];

interface Held {
  readonly name: string;
  readonly title: string;
  readonly dearer: Omit<Version, 'number'>;
  readonly says: (message: string) => boolean;
  readonly asked: string;
}

function heldStory(held: Held): Story {
  return {
    name: held.name,
    title: held.title,
    times: 2,
    alone: false,
    minutes: 16,
    scene: { start: 'attached', first: usual, metrics, resources },
    play: (scene) => playHeld(scene, held),
    figures: (rows) => {
      const after = numbersOf(rows, 'heldAfterMs');
      const lost = sum(numbersOf(rows, 'lost'));
      return [
        goal(
          'held, and not rolled back by itself',
          `${after.length} of ${rows.length}`,
          'all',
          after.length === rows.length,
        ),
        goal(
          'first answer of the version to the hold, most',
          seconds(maximum(after)),
          seconds(withinMs),
          maximum(after) <= withinMs,
        ),
        goal(
          'the sentence has',
          held.asked,
          'all',
          rows.every(({ problems }) => problems.length === 0),
        ),
        goal('requests lost', `${lost}`, '0', lost === 0),
        told('held at', rows.map((row) => `${textOf(row, 'heldAtPercent')}%`).join(', ')),
        told('what people see', textOf(rows[0] ?? { problems: [] }, 'message')),
      ];
    },
  };
}

async function playHeld(scene: Scene, { dearer, says, asked }: Held): Promise<Row> {
  const checks = new Checks();
  const { watcher } = scene;
  await untilOldIsUsual(scene);
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, ...dearer });
  const held = await watcher.until(
    `${name} to be held for what it costs`,
    () => heldNow(scene, name, fromMs),
    withinMs + 60_000,
  );
  const firstAtMs = scene.load.snapshot().firstAnswerOf(name, { from: fromMs })?.doneAt ?? Number.NaN;
  await sleep(20_000);
  const after = watcher.history.filter(({ atMs }) => atMs > held.atMs);
  checks.expect(
    after.every(({ weightPercent }) => weightPercent <= held.weightPercent),
    'the weight was raised while the release was held',
  );
  checks.expect(endingOf(scene, name) === undefined, `${name} was not held but ended by itself`);
  checks.expect(says(held.message), `the sentence does not have ${asked}: "${held.message}"`);
  await abort(scene, name);
  const ending = await untilEnded(scene, name, 120_000);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  return {
    problems: checks.problems,
    heldAfterMs: held.atMs - firstAtMs,
    heldAtPercent: held.weightPercent,
    lost,
    tookMs: ending.atMs - fromMs,
    message: held.message,
  };
}

/** An application that is released has run for longer than the minute in which its pods warm up. */
async function untilOldIsUsual({ watcher }: Scene): Promise<void> {
  const isWarm = () => watcher.pods.every(({ metadata }) => ageMs(metadata.creationTimestamp) > 75_000);
  await watcher.until('the pods of the old version to be warm', isWarm, 120_000);
}

function ageMs(created = ''): number {
  return Date.now() - Date.parse(created);
}

/** The moment that says so; an ending before it is an error at once. */
function heldNow(scene: Scene, version: string, fromMs: number) {
  const ending = endingOf(scene, version);
  if (ending !== undefined) throw new Error(`${version} was ${ending.kind}, and not held: ${ending.message}`);
  return momentOfHold(scene, fromMs);
}

function momentOfHold(scene: Scene, fromMs: number): StatusMoment | undefined {
  return scene.watcher.history.find(({ atMs, reason }) => atMs >= fromMs && reason === 'CostTooHigh');
}

async function playSame(scene: Scene): Promise<Row> {
  const checks = new Checks();
  await untilOldIsUsual(scene);
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, ...usual });
  const find = () => endingOf(scene, name) ?? momentOfHold(scene, fromMs);
  const ending = await scene.watcher.until(`${name} to be promoted, or held`, find, 15 * 60_000);
  const isPromoted = 'kind' in ending && ending.kind === 'promoted';
  checks.expect(isPromoted, `${name} costs what the version before does, and was not promoted: ${ending.message}`);
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: ending.atMs }, checks);
  return {
    problems: checks.problems,
    ending: isPromoted ? 'promoted' : 'held',
    lost,
    tookMs: ending.atMs - fromMs,
    message: ending.message,
  };
}

function amountsOf(message: string): number[] {
  return [...message.matchAll(/(\d+(?:\.\d+)?) USD/g)].map(([, amount]) => Number(amount));
}

function isAbout(amount: number) {
  return (seen: number): boolean => seen > 0.8 * amount && seen < 1.2 * amount;
}
