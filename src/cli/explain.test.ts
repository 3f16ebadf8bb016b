/** `serin explain`: one Rollout's story, told from its status and its records. */
import type { Window } from '../analysis/engine.ts';
import { judgeWindow, openJudge } from '../analysis/judge.ts';
import { defaultSettings } from '../analysis/settings.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { saveEvidence } from '../signals/saved.ts';
import { openLedger } from '../signals/windows.ts';
import { checkout, condition, rolloutPath, statuses, type Trial, trial } from './trial.ts';

function told(status?: RolloutStatus): Trial {
  const stage = trial();
  stage.api.put(rolloutPath, checkout(status));
  return stage;
}

/** Evidence as the operator keeps it after ten windows: the new version fails 5 of 50 requests, the old one 1 of 1000, each. */
function evidence(): NonNullable<RolloutStatus['evidence']> {
  let judge = openJudge(['app'], defaultSettings);
  for (let index = 0; index < 10; index++) {
    const window: Window = {
      startMs: index * 5000,
      endMs: (index + 1) * 5000,
      lengthMs: 5000,
      canary: { requests: 50, errors: 5 },
      stable: { requests: 1000, errors: 1 },
      canaryGroups: [],
    };
    judge = judgeWindow(judge, 'app', window, defaultSettings);
  }
  const memories = new Map([['app', { ledger: openLedger(0), choice: undefined }]] as const);
  return { ...saveEvidence('rollout-uid/1', defaultSettings, judge, memories) };
}

test('a Rollout at rest is told in a few lines', async () => {
  const { said, serin } = told(statuses.idle);
  expect(await serin('explain checkout')).toBe(0);
  expect(said.out).toBe(
    [
      'Rollout shop/checkout of Deployment checkout: Idle, UpToDate',
      '695d49c57z is stable and takes all traffic.',
      '',
      'Revisions',
      '  VERSION   REVISION     IMAGE                 REQUESTS   STATE',
      '  stable    695d49c57z   shop/checkout:1.4.2   100%       since 4d',
      '',
    ].join('\n'),
  );
});

test("a release shows both revisions, the judge's counts and odds, and what is waited for", async () => {
  const { said, serin } = told({
    ...statuses.judging,
    nextTransitionAt: '2026-11-24T12:03:00Z',
    evidence: evidence(),
    conditions: [condition('Judged', 'True', 'the new version fails 10 % of requests, 50 of 500')],
  });
  await serin('explain checkout');
  expect(said.out).toMatch(/stable +695d49c57z +shop\/checkout:1\.4\.2 +75%/);
  expect(said.out).toMatch(/canary +7f9c4d8b2x +shop\/checkout:1\.5\.0 +25% +2 of 2 pods ready, step 2\/4/);
  expect(said.out).toContain('the new version fails 10 % of requests, 50 of 500');
  expect(said.out).toMatch(/errors \(app\) +canary +500 +50 +10%/);
  expect(said.out).toMatch(/errors \(app\) +stable +10000 +10 +0\.1%/);
  expect(said.out).toMatch(/worse than tolerated: \S.* : 1 \(a rollback needs 1000 : 1\)/);
  expect(said.out).toContain('in 3m at the latest');
  expect(said.out).toContain("Serin's move");
});

test('evidence of a version that it does not know is left out and breaks nothing', async () => {
  for (const unknown of [{ version: 2 }, { ...evidence(), engines: [{}] }, {}]) {
    const { said, serin } = told({ ...statuses.judging, evidence: unknown });
    expect(await serin('explain checkout')).toBe(0);
    expect(said.out).not.toContain('METRIC');
  }
});

test('a rollback names the quarantined revision, the command that lifts it, and whose move it is', async () => {
  const { said, serin } = told(statuses.rolledBack);
  await serin('explain checkout');
  expect(said.out).toContain('Your move');
  expect(said.out).toContain('7f9c4d8b2x  Errors, 60m ago: the new version fails 9.8 % of requests, 37 of 378');
  expect(said.out).toContain('serin retry checkout -n shop --revision 7f9c4d8b2x --reason "..."');
});

test('history is of this very Rollout, newest first, also of an attempt under way', async () => {
  const stage = told(statuses.idle);
  const record = (attempt: number, rolloutUid: string, status?: object): void =>
    stage.api.put(`/apis/serin.dev/v1alpha1/namespaces/shop/releaserecords/r${attempt}`, {
      apiVersion: 'serin.dev/v1alpha1',
      kind: 'ReleaseRecord',
      metadata: { name: `r${attempt}` },
      spec: { rolloutUid, attempt, revision: `rev${attempt}` },
      ...(status === undefined ? {} : { status }),
    });
  record(1, 'rollout-uid', {
    outcome: 'RolledBack',
    reason: 'Errors',
    endedAt: '2026-11-24T11:58:00Z',
    message: 'worse',
  });
  record(2, 'rollout-uid');
  record(3, 'an-older-rollout');
  await stage.serin('explain checkout');
  const lines = stage.said.out.slice(stage.said.out.indexOf('History')).trimEnd().split('\n').slice(2);
  expect(lines).toEqual([
    expect.stringMatching(/2 +rev2 +under way/),
    expect.stringMatching(/1 +rev1 +RolledBack +Errors +2m +worse/),
  ]);
});

test('a Rollout that no operator has looked at says so', async () => {
  const { said, serin } = told();
  await serin('explain checkout');
  expect(said.out).toContain('is the operator running?');
});

test('-o json gives the objects as they are', async () => {
  const { said, serin } = told(statuses.idle);
  await serin('explain checkout -o json');
  expect(JSON.parse(said.out)).toMatchObject({ rollout: { kind: 'Rollout' }, records: [] });
});
