/** `serin watch`: the picture for people, the lines for pipes, and the exit code for CI, over streams of statuses. */
import { stripVTControlCharacters } from 'node:util';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { KubeError } from '../kube/errors.ts';
import type { Sight } from './follow.ts';
import type { LiveTemplate } from './outcome.ts';
import { failureOf } from './failure.ts';
import { checkout, condition, statuses, trial, type TrialOptions } from './trial.ts';
import { watching } from './watch.ts';

type Event = RolloutStatus | Sight | { readonly kind: 'time'; readonly seconds: number };

interface Story extends TrialOptions {
  readonly live?: LiveTemplate | (() => LiveTemplate);
  readonly exitStatus?: boolean;
  readonly timeoutMs?: number;
}

/** Plays the events; time passes in ticks of a second, as the real stream gives them. */
async function told(events: readonly Event[], story: Story = {}) {
  const { live = 'unknown', exitStatus = true, timeoutMs } = story;
  const stage = trial(story);
  async function* sights(): AsyncGenerator<Sight> {
    for (const event of events) {
      if (!('kind' in event)) yield { kind: 'rollout', rollout: checkout(event) };
      else if (event.kind !== 'time') yield event;
      else
        for (let second = 0; second < event.seconds; second++) {
          await stage.clock.advance(1000);
          yield { kind: 'tick' };
        }
    }
  }
  const options = { name: 'checkout', exitStatus, timeoutMs };
  const exitCode = await watching(sights(), options, stage.around, async () =>
    typeof live === 'function' ? live() : live,
  ).catch((error: unknown) => {
    const failure = failureOf(error, 'serin');
    stage.said.err += failure.line;
    return failure.exitCode;
  });
  return { exitCode, ...stage.said };
}

const later = (seconds: number): Event => ({ kind: 'time', seconds });

function attempt(
  number: number,
  hash: string,
  retreat?: { readonly why: 'superseded' | 'cancelled' | 'harm'; readonly reason: string; readonly message: string },
): RolloutStatus {
  const journal = {
    version: 1,
    attempts: number,
    handledActions: [],
    attempt: {
      number,
      hash,
      ...(retreat === undefined ? {} : { retreat: { ...retreat, atMs: 0 } }),
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of an attempt that watching reads
  return {
    ...statuses.judging,
    phase: retreat === undefined ? 'Progressing' : 'RollingBack',
    journal,
  } as unknown as RolloutStatus;
}

describe('with --exit-status', () => {
  test('a release that became stable is 0', async () => {
    expect((await told([statuses.judging, later(3), statuses.idle], { live: 'stable' })).exitCode).toBe(0);
  });

  test('a release that was rolled back is 3, and the evidence is said', async () => {
    const { exitCode, err } = await told([attempt(1, '7f9c4d8b2x'), statuses.rolledBack], { live: 'rejected' });
    expect(exitCode).toBe(3);
    expect(err).toContain('rolled back: Revision 7f9c4d8b2x was rejected: the new version fails 9.8 % of requests');
  });

  test('the old outcome is not taken for that of a template that was applied a moment ago', async () => {
    let live: LiveTemplate = 'other';
    const before = await told([statuses.idle, later(20), statuses.rolledBack, later(20)], {
      live: () => live,
      timeoutMs: 60_000,
    });
    expect(before.exitCode).toBe(0); // the stream ended by itself, nothing was decided
    expect(before.err).toBe('');
    live = 'stable';
    expect((await told([statuses.idle], { live })).exitCode).toBe(0);
  });

  test('who may not read Deployments still gets an outcome once it has stood for a while', async () => {
    const soon = await told([statuses.rolledBack, later(3)], { live: 'unknown' });
    expect(soon.err).toBe('');
    expect((await told([statuses.rolledBack, later(6)], { live: 'unknown' })).exitCode).toBe(3);
  });

  test('a status of an older generation says nothing yet', async () => {
    const old: Sight = { kind: 'rollout', rollout: checkout(statuses.idle, 2) };
    const { err, exitCode } = await told([old, later(30)], { live: 'stable', timeoutMs: 20_000 });
    expect(exitCode).toBe(5);
    expect(err).toContain('timed out after 20s watching rollout checkout');
  });

  test('a template that was put back before it was released counts as rolled back', async () => {
    const back = attempt(1, '7f9c4d8b2x', {
      why: 'cancelled',
      reason: 'Cancelled',
      message: 'the template went back to the stable one.',
    });
    const { exitCode, err } = await told([attempt(1, '7f9c4d8b2x'), back, statuses.idle], { live: 'stable' });
    expect(exitCode).toBe(3);
    expect(err).toContain('the template went back to the stable one.');
  });

  test('a release that a newer template replaced is judged by how the newer one ends', async () => {
    const back = attempt(1, '7f9c4d8b2x', {
      why: 'superseded',
      reason: 'Superseded',
      message: 'template 8a replaced it.',
    });
    expect(
      (await told([attempt(1, '7f9c4d8b2x'), back, attempt(2, '8a'), statuses.idle], { live: 'stable' })).exitCode,
    ).toBe(0);
  });

  test('a stall is 4, but only when it lasts', async () => {
    const stalled = { ...statuses.judging, reason: 'Unsure', conditions: [condition('Stalled', 'True')] };
    expect((await told([stalled, later(6)])).exitCode).toBe(4);
    expect(
      (
        await told([stalled, later(3), statuses.judging, later(3), stalled, later(3), statuses.idle], {
          live: 'stable',
        })
      ).exitCode,
    ).toBe(0);
  });

  test('a Rollout that is deleted meanwhile is 6', async () => {
    expect((await told([statuses.judging, { kind: 'deleted' }])).exitCode).toBe(6);
  });
});

test('--timeout ends with 5 and says where the release stood', async () => {
  const { exitCode, err } = await told([statuses.judging, later(61)], { timeoutMs: 60_000, exitStatus: false });
  expect(exitCode).toBe(5);
  expect(err).toContain('timed out after 60s watching rollout checkout: Step 2 of 4');
});

test('without --exit-status it follows on after a release has ended', async () => {
  const { out } = await told([statuses.idle, later(10), statuses.judging, later(10), statuses.idle], {
    exitStatus: false,
    live: 'stable',
  });
  expect(out.trimEnd().split('\n')).toHaveLength(3);
});

test('a pipe gets one line a change, and none when only counts change', async () => {
  const counted = {
    ...statuses.judging,
    message: 'Step 2 of 4: 25% of requests go to 7f9c4d8b2x; waiting, about 40s.',
  };
  const { out } = await told(
    [statuses.judging, counted, later(5), { ...statuses.judging, canary: { ...statuses.judging.canary, weight: 50 } }],
    { exitStatus: false },
  );
  expect(out.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^2026-11-24T12:00:00Z {2}Progressing {2}Judging {2}25% {2}Step 2 of 4: 25% of requests/),
    expect.stringMatching(/^2026-11-24T12:00:05Z {2}Progressing {2}Judging {2}50% /),
  ]);
});

test('a terminal is drawn over in place, and no line is wider than it', async () => {
  const { out } = await told([statuses.judging, later(2)], { exitStatus: false, isInteractive: true });
  expect(out).toContain('shop/checkout  Progressing  Judging  step 2/4  for 0s');
  expect(out).toContain('for 2s');
  const frames = stripVTControlCharacters(out);
  expect(out.split('\u001B[J')).toHaveLength(3);
  expect(Math.max(...frames.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('a broken connection is said once, and ends nothing', async () => {
  const trouble: Sight = {
    kind: 'trouble',
    error: new KubeError('watch rollouts: cannot talk to the API server', { code: 'Network', retry: 'backoff' }),
  };
  const { err, exitCode } = await told([statuses.judging, trouble, later(1), trouble, statuses.idle], {
    live: 'stable',
  });
  expect(err).toBe(
    'Unable to connect to the server: watch rollouts: cannot talk to the API server; check the cluster and --context; trying again\n',
  );
  expect(exitCode).toBe(0);
});
