/** `serin explain`: one Rollout's story, told from its status and its records. */
import type { Window } from '../analysis/engine.ts';
import { courseAfter, openCourse } from '../analysis/course.ts';
import { openJudge } from '../analysis/judge.ts';
import { type LatencyMetric, defaultErrors, weighted } from '../analysis/metric.ts';
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
const noonMs = Date.parse('2026-11-24T11:58:00Z');
const times = (counts: readonly number[]) => ({ upperBounds: [0.1, 0.3, Infinity], counts });

function evidence(settings = defaultSettings, windows = 10): NonNullable<RolloutStatus['evidence']> {
  let course = openCourse(openJudge([{ name: 'app', hasLatency: true }], settings));
  for (let index = 0; index < windows; index++) {
    const window: Window = {
      startMs: noonMs + index * 5000,
      endMs: noonMs + (index + 1) * 5000,
      lengthMs: 5000,
      canary: { requests: 50, errors: 5 },
      stable: { requests: 1000, errors: 1 },
      canaryGroups: [
        { requests: 25, errors: 2 },
        { requests: 25, errors: 3 },
      ],
      plannedShare: 0.05,
      latency: {
        canary: times([10, 30, 10]),
        stable: times([200, 700, 100]),
        canaryGroups: [times([5, 15, 5]), times([5, 15, 5])],
      },
    };
    course = courseAfter(course, { kind: 'window', reader: 'app', window }, settings);
  }
  const memories = new Map([['app', { ledger: openLedger(0), choice: undefined }]] as const);
  return { ...saveEvidence('rollout-uid/1', settings, course.judge, memories, course) };
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

test('each metric says what is tolerated, what was served, what remains without the strongest window and pods', async () => {
  const latency: Omit<LatencyMetric, 'weight'> = {
    kind: 'latency',
    name: 'latency',
    tolerateRatio: 1.1,
    ruleOut: { ratio: 2, absolute: 0.01 },
  };
  const settings = {
    ...defaultSettings,
    metrics: weighted([defaultErrors, latency, { ...defaultErrors, name: 'sold' }]),
  };
  const { said, serin } = told({ ...statuses.judging, evidence: evidence(settings) });
  await serin('explain checkout');
  expect(said.out).toMatch(/latency over 300 ms \(app\) +canary +450 +90 +20%/);
  expect(said.out).toMatch(
    /errors \(weight 47 %\): tolerated 10 % more or 0\.01pp more; evidence of harm \S.* : 1, .* : 1 also when picked out of 3/,
  );
  expect(said.out).toMatch(/compared: 100x the old version's rate, from \d+x to \d+x is possible/);
  expect(said.out).toMatch(
    /evidence: .* : 1, .* : 1 without the window that says most, .* : 1 without the pods that say most/,
  );
  expect(said.out).toMatch(/served: about 50 bad requests more than by the old version, from \d+ to 50 is possible/);
  expect(said.out).toMatch(
    /time: \d+s from the first request to the verdict; at these rates no test .* on average \(\S+x\)/,
  );
  expect(said.out).toContain('sold: asked for, and nobody counts it');
  expect(said.out).toMatch(/data: 10 windows of about 5s \(app\), the newest ended 70s ago/);
  expect(said.out).toContain('split: 4.8 % of 4200 requests reached the new version at this weight, 5 % were planned');
});

test('a verdict is gone through again from its bundle, bit for bit, and without a cluster', async () => {
  const stage = told({ ...statuses.judging, evidence: evidence() });
  expect(await stage.serin('explain checkout --bundle')).toBe(0);
  const bundle = stage.said.out;
  const replay = async (text: string): Promise<{ code: number; out: string; err: string }> => {
    const alone = trial({ files: { 'verdict.json': text }, hasNoCluster: true });
    const code = await alone.serin('explain --replay verdict.json');
    return { code, ...alone.said };
  };
  expect(await replay(bundle)).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /Rollout shop\/checkout, attempt rollout-uid\/1: went through 10 windows again, all windows of the attempt\.\nThe new version fails 10 % of requests, 50 of 500; .*\n.*level harmful by errors.*\nThe same verdict, bit for bit\./s,
    ),
  });
  const flattered = await replay(bundle.replace('"level": "harmful"', '"level": "calm"'));
  expect(flattered).toMatchObject({
    code: 1,
    out: expect.stringContaining('level: "calm" was claimed, "harmful" was found'),
  });
  expect(flattered.out).toContain('its checksum is another one');
  expect(await replay('{"kind":"Pod"}')).toMatchObject({
    code: 1,
    err: expect.stringContaining('is no replay bundle'),
  });
  expect(await replay('kind: Pod')).toMatchObject({ code: 1, err: expect.stringContaining('it is not JSON') });
});

test('of a long attempt the bundle has the last windows, and says so', async () => {
  const stage = told({ ...statuses.judging, evidence: evidence(defaultSettings, 600) });
  await stage.serin('explain checkout --bundle');
  const alone = trial({ files: { 'verdict.json': stage.said.out } });
  expect(await alone.serin('explain --replay verdict.json')).toBe(0);
  expect(alone.said.out).toMatch(
    /went through \d+ windows again, the last windows; the \d+ before them are in the state/,
  );
});

test('without a name or a bundle, and without evidence, explain says what is missing', async () => {
  const { said, serin } = told(statuses.idle);
  expect(await serin('explain')).toBe(2);
  expect(said.err).toContain('--replay');
  expect(await serin('explain checkout --bundle')).toBe(1);
  expect(said.err).toContain('has no evidence in its status');
});

test('evidence of a version that it does not know is left out and breaks nothing', async () => {
  for (const unknown of [{ version: 1 }, { ...evidence(), metrics: [{}] }, {}]) {
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

test('while it goes back it is the move of Serin, unless it cannot', async () => {
  const aborted = { ...statuses.judging, phase: 'RollingBack', reason: 'Aborted', message: 'Aborted by a person.' };
  const going = told({ ...aborted, verdict: 'Aborted' });
  await going.serin('explain checkout');
  expect(going.said.out).toContain("Serin's move");
  const stuck = told({ ...aborted, reason: 'StableUnready', conditions: [condition('Stalled', 'True')] });
  await stuck.serin('explain checkout');
  expect(stuck.said.out).toContain('Your move');
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
