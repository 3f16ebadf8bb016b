/** The whole story with the real operator as its own process; it needs no cluster, but a minute. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diceFrom } from '../analysis/dice.ts';
import { systemClock } from '../kube/clock.ts';
import { openEmbedded } from './embedded.ts';
import { reportOf } from './report.ts';
import { type Sight, tellStory } from './story.ts';

const program = [process.execPath, fileURLToPath(new URL('../main.ts', import.meta.url))];

test('a good version is promoted, a bad one is braked and rolled back, and no request is lost', async () => {
  const clock = systemClock;
  const stage = await openEmbedded({ clock, random: diceFrom(1), seed: 1, program });
  const phases = new Set<string>();
  const teller = {
    chapter: () => undefined,
    show: ({ rollout }: Sight) => phases.add(rollout?.status?.phase ?? ''),
  };
  try {
    const options = { clock, badRate: 0.2, ratePerSecond: 500 };
    const told = await tellStory(stage, options, teller, new AbortController().signal);
    expect(told).toMatchObject({ good: { kind: 'promoted' }, bad: { kind: 'rolledBack' } });
    expect(reportOf({ told, weights: stage.weights, pods: stage.pods }).broken).toEqual([]);
    expect([...phases]).toEqual(expect.arrayContaining(['Progressing', 'Promoting', 'Braked', 'RollingBack']));
  } finally {
    await stage.close();
  }
  expect(existsSync(dirname(stage.look.split(' ').at(-1) ?? ''))).toBe(false);
}, 180_000);
