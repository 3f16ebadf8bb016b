/** Without routes: the share of the requests is the share of the pods behind the Service. */
import { countLost, maximum, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';
import { podsCreatedSince } from './good.ts';

const rates = [0, 0.5, 0, 0.2];

export const share: Story = {
  name: 'share',
  title: 'Pod share: no routes, good and bad releases in turn',
  times: rates.length,
  alone: false,
  minutes: 6,
  scene: { start: 'attached', sharing: 'service' },
  play: (scene, index) => play(scene, rates[index] ?? 0),
  figures: (rows) => {
    const lost = sum(numbersOf(rows, 'lost'));
    const good = rows.filter((row) => row['rate'] === 0);
    const bad = rows.filter((row) => row['rate'] !== 0);
    const isRight = rows.every(({ problems }) => problems.length === 0);
    return [
      goal('requests lost', `${lost}`, '0', lost === 0),
      goal('good promoted, bad rolled back', rows.map((row) => textOf(row, 'ending')).join(', '), 'each', isRight),
      goal(
        'pods created in a good release',
        numbersOf(good, 'created').join(', '),
        'exactly 4',
        numbersOf(good, 'created').every((one) => one === 4),
      ),
      told('bad answers served', numbersOf(bad, 'badAnswers').join(', ')),
      told(
        'most of the requests that a step gave to the new version',
        `${maximum(numbersOf(good, 'mostPercent')).toFixed(0)}%`,
      ),
      told('time', numbersOf(rows, 'tookMs').map(seconds).join(', ')),
    ];
  },
};

async function play(scene: Scene, rate: number): Promise<Row> {
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion(rate);
  const fromMs = await scene.git.release(next);
  let mostPercent = 0;
  const watch = setInterval(() => {
    const { canary, journal } = scene.watcher.status;
    if (journal?.attempt?.stage !== 'promote') mostPercent = Math.max(mostPercent, canary?.weight ?? 0);
  }, 200);
  const ending = await untilEnded(scene, version, 300_000).finally(() => clearInterval(watch));
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const expected = rate === 0 ? 'promoted' : 'rolledBack';
  checks.expect(ending.kind === expected, `${version} was ${ending.kind}, ${expected} expected: ${ending.message}`);
  checks.expect(mostPercent <= 50, `${mostPercent}% of the requests went to ${version} before the handover`);
  const created = podsCreatedSince(scene, fromMs);
  if (rate === 0) checks.expect(created === 4, `${created} pods were created, 4 expected`);
  const badAnswers = load.badAnswers(version, { from: fromMs, to: ending.atMs }).length;
  return {
    problems: checks.problems,
    rate,
    ending: ending.kind,
    lost,
    created,
    badAnswers,
    mostPercent,
    tookMs: ending.atMs - fromMs,
  };
}
