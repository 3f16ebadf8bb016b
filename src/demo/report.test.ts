import type { LoadCounts, VersionCounts } from './load.ts';
import { reportOf, type Seen } from './report.ts';

function answers(good: number, bad = 0, firstBadMs?: number): VersionCounts {
  return { good, bad, firstBadMs, lastAnswerMs: 10_000 };
}

function seen(
  change: { counts?: Partial<LoadCounts>; zeroMs?: number | undefined; pods?: readonly string[] } = {},
): Seen {
  const versions = new Map([
    ['v1', answers(600)],
    ['v2', answers(350)],
    ['v3', answers(38, 12, 1_000)],
  ]);
  const counts = {
    sent: 1_000,
    heldBack: 0,
    answered: 1_000,
    refused: 0,
    versions,
    troubles: new Map<string, number>(),
    ...change.counts,
  };
  const zeroMs = 'zeroMs' in change ? change.zeroMs : 9_500;
  return {
    told: { good: { kind: 'promoted' }, bad: { kind: 'rolledBack', message: 'It fails.' }, counts },
    weights: {
      firstLoweringAfter: () => ({ atMs: 5_250, canaryPercent: 1 }),
      firstZeroAfter: () => (zeroMs === undefined ? undefined : { atMs: zeroMs, canaryPercent: 0 }),
    },
    pods: change.pods ?? ['v1', 'v1', 'v1', 'v1', 'v2', 'v2', 'v2', 'v2', 'v3', 'v3'],
  };
}

describe('what the demo says at its end', () => {
  test('is what was counted', () => {
    const { rows, broken } = reportOf(seen());
    expect(rows).toEqual([
      ['requests', '1,000'],
      ['harmed by the bad version (v3)', '12 (1.20 %)'],
      ['lost for any other reason', '0'],
      ['first bad answer to the brake', '4.3 s'],
      ['first bad answer to weight 0', '8.5 s'],
      ['first bad answer to the last of v3', '9.0 s'],
      ['pods created', '4 of v1, 4 of v2, 2 of v3'],
    ]);
    expect(broken).toEqual([]);
  });

  test.each([
    ['a request without an answer', { answered: 999 }],
    ['an answer of the gateway itself', { refused: 1 }],
    ['a failure of a version that does not fail', { versions: new Map([['v2', answers(1, 1, 5)]]) }],
  ])('%s is lost, and no success', (_, counts) => {
    const { rows, broken } = reportOf(seen({ counts }));
    expect(rows[2]).toEqual(['lost for any other reason', '1']);
    expect(broken).toEqual(['1 requests were lost, and none should be']);
  });

  test('what was lost is told with what was said about it', () => {
    const counts = { refused: 2, troubles: new Map([['503 no pod is ready', 2]]) };
    expect(reportOf(seen({ counts })).broken).toEqual([
      '2 requests were lost, and none should be (2 times 503 no pod is ready)',
    ]);
  });

  test('what this machine never sent is neither lost nor hidden', () => {
    const { rows, broken } = reportOf(seen({ counts: { heldBack: 250 } }));
    expect(rows[1]).toEqual(['never sent: this machine had no time', '250 (20.00 %)']);
    expect(broken).toEqual([]);
  });

  test('a weight that stayed, or a pod that was created twice, is no success either', () => {
    expect(reportOf(seen({ zeroMs: undefined })).broken).toHaveLength(1);
    expect(reportOf(seen({ pods: ['v2', 'v2', 'v2', 'v2', 'v2'] })).broken).toEqual([
      '5 pods of v2 were created, and 4 are needed',
    ]);
  });
});
