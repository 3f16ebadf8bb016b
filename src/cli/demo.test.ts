/** `serin demo`: what it refuses, and what it makes of a story. The story itself is played by the end-to-end suite. */
import type { ReleaseEnd } from '../demo/story.ts';
import type { Seen } from '../demo/report.ts';
import { concluded, demo } from './demo.ts';
import { CliError } from './failure.ts';
import { trial } from './trial.ts';

test.each([{ kubeconfig: 'my.kubeconfig' }, { context: 'production' }, { namespace: 'shop' }])(
  'it has a cluster of its own and says so instead of ignoring %j',
  async (options) => {
    const told = demo(options, trial().around);
    await expect(told).rejects.toThrow(CliError);
    await expect(told).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('cluster of its own') });
  },
);

test.each([{ gateway: 'infra/gateway' }, { address: 'http://10.0.0.7' }, { image: 'shop:1' }, { metricSource: 'own' }])(
  'what is for a real cluster is not ignored without one: %j',
  async (options) => {
    const told = demo(options, trial().around);
    await expect(told).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('are for --cluster') });
  },
);

test('on a real cluster the namespace is its own', async () => {
  const told = demo({ cluster: true, namespace: 'shop' }, trial().around);
  await expect(told).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('of its own') });
});

function seen(bad: ReleaseEnd, sent = 100): Seen {
  const versions = new Map([
    ['v2', { good: 90, bad: 0, firstBadMs: undefined, lastAnswerMs: 0 }],
    ['v3', { good: 8, bad: 2, firstBadMs: 1_000, lastAnswerMs: 0 }],
  ]);
  return {
    told: {
      good: { kind: 'promoted' },
      bad,
      counts: { sent, heldBack: 0, answered: 100, refused: 0, versions, troubles: new Map() },
    },
    weights: {
      firstLoweringAfter: () => ({ atMs: 2_000, canaryPercent: 1 }),
      firstZeroAfter: () => ({ atMs: 3_000, canaryPercent: 0 }),
    },
    pods: ['v2', 'v2', 'v2', 'v2', 'v3', 'v3'],
  };
}

const rolledBack: ReleaseEnd = { kind: 'rolledBack', message: 'The new version fails 20 % of requests.' };

test('a story that ended as it should is a table, the reason, and what to do for real', () => {
  const { around, said } = trial();
  expect(concluded(seen(rolledBack), {}, around)).toBe(0);
  expect(said.out).toContain('v3 was rolled back: The new version fails 20 % of requests.');
  expect(said.out).toMatch(/lost for any other reason\s+0$/m);
  expect(said.out).toMatch(/first bad answer to weight 0\s+2\.0 s$/m);
  expect(said.out.split('\n').filter((line) => /^ {2}(sed|serin) /.test(line))).toHaveLength(3);
});

test('a bad version that was promoted is a failure in one sentence', () => {
  const { around } = trial();
  expect(() => concluded(seen({ kind: 'promoted' }), { badRate: 0 }, around)).toThrow(
    'v3 was promoted and nothing was rolled back: that it fails 0% of its requests was no reason',
  );
});

test('a request that was lost is a failure, after the table that shows it', () => {
  const { around, said } = trial();
  expect(() => concluded(seen(rolledBack, 101), {}, around)).toThrow('1 requests were lost');
  expect(said.out).toMatch(/lost for any other reason\s+1$/m);
});
