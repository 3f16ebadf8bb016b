// Alerts and restarts in a whole attempt in virtual time: what the collector makes of them, also when it is another one.
import { restartsMetric, weighted } from '../analysis/metric.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { Stage } from './collector-stage.ts';
import type { ListedRestarts } from './restarts.ts';
import type { Subject } from './subject.ts';

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.stop());

const page = { matching: '{severity="page"}', do: 'rollback', alsoIfBefore: false } as const;
const labels = { __name__: 'ALERTS', alertname: 'HighErrorRate', alertstate: 'firing', severity: 'page' };
const alerts = () => stage.collector.reading('uid/1')?.alerts ?? [];
const names = () => alerts().map(({ sentence }) => sentence.split(' ')[1]);

const watching = (more: Partial<Subject> = {}): Partial<Subject> => ({
  alerts: { watched: [page], beganAtMs: stage.clock.nowMs() + 60_000 },
  ...more,
});
/** As the operator hands it out: what status holds goes with the alerts too. */
const resumed = (subject: Subject): Subject => {
  const resume = stage.saved();
  return { ...subject, resume, ...(subject.alerts ? { alerts: { ...subject.alerts, saved: resume.alerts } } : {}) };
};

describe('an alert', () => {
  test('that begins to fire makes the operator look at once, and is no part of the evidence', async () => {
    await stage.begin(watching());
    await stage.pass(20);
    const before = stage.changes.length;
    stage.firing = [{ sinceMs: stage.clock.nowMs(), labels }];
    await stage.pass(12);
    expect(alerts()).toMatchObject([
      { do: 'rollback', sentence: expect.stringContaining('alert HighErrorRate (severity=page)') },
    ]);
    expect(stage.changes.length).toBeGreaterThan(before);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
    stage.firing = [];
    await stage.pass(6);
    expect(alerts()).toEqual([]);
  });

  test('that fired before is not held against the release by any operator, nor by another judge of the same attempt', async () => {
    stage.firing = [{ sinceMs: 0, labels }];
    const subject = await stage.begin(watching());
    await stage.pass(60);
    expect(alerts()).toEqual([]);
    expect(stage.answer()).toMatchObject({ sentence: expect.stringContaining('is not held against it') });
    const next = resumed(subject);
    await stage.restart();
    stage.collector.watch(next);
    await stage.pass(30);
    expect(alerts()).toEqual([]);
    stage.collector.forget('uid/1');
    const { resume: _of, ...fresh } = next;
    stage.collector.watch({ ...fresh, beganAtMs: stage.clock.nowMs() });
    await stage.pass(30);
    expect(alerts()).toEqual([]);
    stage.firing = [...stage.firing, { sinceMs: stage.clock.nowMs(), labels: { ...labels, alertname: 'Slow' } }];
    await stage.pass(12);
    expect(names()).toEqual(['Slow']);
  });

  test('is not known during an outage: it neither holds for long nor turns anything back', async () => {
    await stage.begin(watching());
    stage.firing = [{ sinceMs: stage.clock.nowMs(), labels }];
    await stage.pass(6);
    stage.outage = { statusCode: 503, text: '' };
    await stage.pass(60);
    expect(alerts()).toEqual([]);
    expect(stage.answer()).toMatchObject({ kind: 'sourceDown' });
  });

  test('of another namespace is none of a tenant’s', async () => {
    const confined = { ...stage.subject().source, confine: { namespaceLabel: 'namespace' } } as Subject['source'];
    const queries: string[] = [];
    await stage.begin(watching({ source: confined }));
    stage.asked = queries;
    await stage.pass(12);
    expect(queries.filter((query) => query.startsWith('ALERTS'))).not.toEqual([]);
    expect(new Set(queries.filter((query) => query.startsWith('ALERTS')))).toEqual(
      new Set(['ALERTS{namespace="shop",alertstate="firing",severity="page"}']),
    );
  });
});

describe('restarts of pods', () => {
  const settings = { ...defaultSettings, metrics: weighted([restartsMetric]) };
  let restarts: readonly number[] = [];

  function listed(): ListedRestarts {
    const pods = (arm: 'canary' | 'stable') =>
      stage.fleet.listed(arm).map(({ name, startedAtMs }, index) => ({
        name,
        startedAtMs,
        restarts: arm === 'canary' ? (restarts[index] ?? 0) : 0,
        isOutOfMemory: arm === 'canary' && (restarts[index] ?? 0) > 0,
      }));
    return { canary: pods('canary'), stable: pods('stable') };
  }
  beforeEach(() => (restarts = []));

  test('are judged without any metric source, by one operator after the other', async () => {
    const subject = await stage.begin({ source: undefined, settings, restarts: listed });
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
    expect(stage.queries).toBe(0);
    restarts = [1, 1];
    await stage.pass(20);
    const next = resumed(subject);
    await stage.restart();
    restarts = [2, 3];
    stage.collector.watch(next);
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ sentence: expect.stringContaining('The new version had 5 restarts in') });
    for (const more of [4, 5, 6, 7]) {
      restarts = [more, more];
      await stage.pass(16);
    }
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      culprit: 'restarts',
      sentence: expect.stringContaining('OOMKilled'),
    });
  });

  test('let a release go on that has none, for this step and the next one', async () => {
    await stage.begin({ source: undefined, settings, restarts: listed });
    await stage.pass(420);
    expect(stage.answer()).toMatchObject({ kind: 'judged', stepAcceptable: true });
    stage.collector.stepStarted('uid/1', '1:1', 25);
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ stepAcceptable: false });
    await stage.pass(420);
    expect(stage.answer()).toMatchObject({ stepAcceptable: true, finalAcceptable: true });
  });

  test('beside errors that nobody can count say nothing but harm', async () => {
    const both = { ...defaultSettings, metrics: weighted([defaultSettings.metrics[0] as never, restartsMetric]) };
    await stage.begin({ source: undefined, settings: both, restarts: listed });
    await stage.pass(60);
    expect(stage.answer()).toEqual({ kind: 'noSource' });
    for (const more of [1, 2, 3, 4, 5, 6, 7, 8]) {
      restarts = [more, more];
      await stage.pass(16);
    }
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful', culprit: 'restarts' });
  });

  test('are judged beside errors, and waited for with them', async () => {
    const both = { ...defaultSettings, metrics: weighted([defaultSettings.metrics[0] as never, restartsMetric]) };
    await stage.begin({ settings: both, restarts: listed });
    await stage.pass(120);
    expect(stage.collector.reading('uid/1')?.explain?.engines.map(({ name }) => name)).toEqual([
      'gateway',
      'app',
      'restarts',
    ]);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'calm',
      canaryRequests: expect.any(Number),
      waitingFor: expect.stringContaining('one restart of a pod in 5m'),
    });
  });

  test('never stand in for a source that does not answer', async () => {
    const both = { ...defaultSettings, metrics: weighted([defaultSettings.metrics[0] as never, restartsMetric]) };
    stage.outage = { statusCode: 503, text: '' };
    await stage.begin({ settings: both, restarts: listed });
    await stage.pass(120);
    expect(stage.answer()).toMatchObject({ kind: 'sourceDown', everAnswered: false });
    stage.outage = undefined;
    await stage.pass(60);
    const judged = stage.collector.reading('uid/1')?.explain?.engines.map(({ metric }) => metric);
    expect(new Set(judged)).toEqual(new Set(['errors', 'restarts']));
  });
});
