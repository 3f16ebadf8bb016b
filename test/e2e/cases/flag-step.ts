/** A step of the release turns the flag on: for a sound version it stays on, and harm that begins with it is laid to the flag. */
import { setTimeout as sleep } from 'node:timers/promises';
import { refreshMs } from '../harness/flag-stage.ts';
import { countLost, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const rates = [0, 0.5];

const step: Story = {
  name: 'flag-step',
  title: 'A step turns the flag on at 10 %: once for a sound version, once for code that fails half of its requests',
  times: rates.length,
  alone: false,
  minutes: 6,
  scene: { start: 'attached', withFlag: { use: 'step', observe: '60s', startsOn: false } },
  play: (scene, index) => play(scene, rates[index] ?? 0),
  figures: (rows) => {
    const lost = sum(numbersOf(rows, 'lost'));
    return [
      goal(
        'outcome, and the flag afterwards',
        rows.map((row) => `${textOf(row, 'ending')}, ${textOf(row, 'flagIs')}`).join('; '),
        'promoted, on; promoted or rolledBack, off',
        rows.every(({ problems }) => problems.length === 0),
      ),
      goal('requests lost', `${lost}`, '0', lost === 0),
      told('bad answers served', numbersOf(rows, 'badAnswers').join(', ')),
      told('what the message says', textOf(rows[1] ?? { problems: [] }, 'message')),
    ];
  },
};

export const flagStepStories: readonly Story[] = [step];

async function play(scene: Scene, flaggedErrorRate: number): Promise<Row> {
  const checks = new Checks();
  const { flag } = scene.stage;
  // What a sound version left on belongs to the version that serves now.
  if (await flag.isOn()) {
    await flag.turn('off');
    await sleep(3 * refreshMs);
  }
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, flaggedErrorRate });
  const ending = await untilEnded(scene, name, 400_000);
  await sleep(3000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const turns = await flag.turnsSince(fromMs);
  const flagIs = (await flag.isOn()) ? 'on' : 'off';
  const isSound = flaggedErrorRate === 0;
  checks.expect(!isSound || ending.kind === 'promoted', `the sound ${name} was rolled back: ${ending.message}`);
  checks.expect(flagIs === (isSound ? 'on' : 'off'), `the flag is ${flagIs} after the release`);
  checks.expect(turns.on === 1, `the flag was turned on ${turns.on} times`);
  const said = scene.watcher.history.filter(({ atMs, message }) => atMs >= fromMs && /turned (back|off)/.test(message));
  return {
    problems: checks.problems,
    ending: ending.kind,
    flagIs,
    lost,
    turnedOn: turns.on,
    turnedOff: turns.off,
    badAnswers: load.badAnswers(name, { from: fromMs, to: ending.atMs }).length,
    tookMs: ending.atMs - fromMs,
    message: said.at(-1)?.message ?? ending.message,
  };
}
