// Attempts that judge more than errors, in virtual time: latency, counters that a user named, plain limits, and pods that are scraped.
import { type Unweighted, defaultErrors, weighted } from '../analysis/metric.ts';
import { type JudgeSettings, defaultSettings } from '../analysis/settings.ts';
import { Stage, address } from './collector-stage.ts';
import type { SourceOf, Subject } from './subject.ts';

const { weight: _whole, ...errors } = defaultErrors;
const latency: Unweighted = {
  kind: 'latency',
  name: 'latency',
  tolerateRatio: 1.1,
  ruleOut: { ratio: 2, absolute: 0.01 },
};
const orders: Unweighted = { ...errors, name: 'orders' };
const settingsOf = (...metrics: readonly Unweighted[]): JudgeSettings => ({
  ...defaultSettings,
  metrics: weighted(metrics),
});
const withLatency = settingsOf(errors, latency);
const source = (dataPlane: NonNullable<SourceOf['dataPlane']>): SourceOf => ({
  name: 'main',
  address,
  timeoutMs: 5_000,
  dataPlane,
});
const query = { name: 'orders', bad: 'orders_failed_total', total: 'orders_total{}' };
const noErrors = { canary: 0, stable: 0 };

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.stop());

const levels = () => stage.changes.flatMap(({ answer }) => (answer.kind === 'judged' ? answer.level : []));

describe('latency', () => {
  test.each(['app', 'traefik'] as const)('of a version that is three times as slow is found: %s', async (dataPlane) => {
    const slowness = { canary: 3, stable: 1 };
    await stage.begin({ settings: withLatency, source: source(dataPlane) }, noErrors, { slowness });
    // Not before its pods are warm.
    await stage.pass(50);
    expect(levels()).not.toContain('brake');
    await stage.pass(70);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      culprit: 'latency',
      sentence: expect.stringMatching(/slow/),
    });
  });

  test.each([1, 2])('of a version that is as fast as the old one is never held against it (seed %i)', async (seed) => {
    await stage.stop();
    stage = new Stage(seed);
    await stage.begin({ settings: withLatency }, noErrors, { slowness: { canary: 1, stable: 1 } });
    await stage.pass(300);
    expect(levels().filter((level) => level !== 'calm' && level !== 'doubt')).toEqual([]);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm', stepAcceptable: true });
  });

  test('that nobody measures is not judged, and no step rests on it', async () => {
    await stage.begin({ settings: withLatency });
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'calm',
      notJudged: ['latency'],
      stepAcceptable: false,
      finalAcceptable: false,
    });
  });

  test('is not even asked for where nobody judges it', async () => {
    await stage.begin({}, noErrors, { slowness: { canary: 3, stable: 1 } });
    await stage.pass(120);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
  });

  test('is known to an operator that restarts', async () => {
    const slowness = { canary: 1, stable: 1 };
    const other = new Stage(1);
    const begin = (one: Stage) => one.begin({ settings: withLatency }, { canary: 0.01, stable: 0.01 }, { slowness });
    const subject = await begin(stage);
    await begin(other);
    await Promise.all([stage.pass(103), other.pass(103)]);
    const saved = other.saved();
    await other.restart();
    await Promise.all([stage.pass(20), other.pass(20)]);
    other.collector.watch({ ...other.subject({ settings: withLatency }), beganAtMs: subject.beganAtMs, resume: saved });
    other.collector.arm('uid/1', 'twoArms');
    other.collector.stepStarted('uid/1', '0:1');
    await Promise.all([stage.pass(40), other.pass(40)]);
    expect(other.judge()).toEqual(stage.judge());
    expect(other.saved().readers).toEqual(stage.saved().readers);
    await other.stop();
  });
});

describe('counters that a user named', () => {
  const subject: Partial<Subject> = { settings: settingsOf(errors, orders), queries: [query] };

  test('tell a version whose orders fail, though it answers well', async () => {
    const failRates = { canary: 0.3, stable: 0.01 };
    await stage.begin(subject, noErrors, { orders: { perSecond: 40, failRates } });
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful', culprit: 'orders' });
  });

  test('of a healthy version are counted once, and let it pass', async () => {
    const failRates = { canary: 0.005, stable: 0.005 };
    await stage.begin(subject, noErrors, { orders: { perSecond: 1_000, failRates } });
    await stage.pass(300);
    expect(levels().filter((level) => level !== 'calm' && level !== 'doubt')).toEqual([]);
    expect(stage.answer()).toMatchObject({ kind: 'judged', stepAcceptable: true });
    stage.fleet.traffic = { ...stage.fleet.traffic, perSecond: 0, orders: { perSecond: 0, failRates } };
    await stage.pass(20);
    const counted = stage.collector.reading('uid/1')?.explain?.engines.find(({ name }) => name === 'query:orders');
    expect(counted?.canary).toEqual(stage.fleet.orders.canary);
  });

  test('that do not exist are not judged, and no step rests on them', async () => {
    await stage.begin(subject);
    await stage.pass(200);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'calm',
      notJudged: ['orders'],
      stepAcceptable: false,
    });
  });

  test('that are still there do not hide that nobody counts requests any more (S4, S7)', async () => {
    const failRates = { canary: 0.005, stable: 0.005 };
    await stage.begin(
      { ...subject, source: source('app') },
      { canary: 0.001, stable: 0.001 },
      { perSecond: 200, orders: { perSecond: 200, failRates } },
    );
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged' });
    stage.fleet.isHidden = (labels) => labels['__name__'] === 'http_requests_total' || labels['__name__'] === 'up';
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ kind: 'judged', stepAcceptable: false, finalAcceptable: false });
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({ kind: 'sourceDown', everAnswered: true });
    stage.fleet.traffic = {
      ...stage.fleet.traffic,
      orders: { perSecond: 200, failRates: { canary: 0.5, stable: 0.005 } },
    };
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful', culprit: 'orders' });
  });

  test('that are no plain counters are refused, and what else is judged is judged', async () => {
    const queries = [{ ...query, bad: 'rate(orders_failed_total[1m])' }];
    await stage.begin(
      { ...subject, queries },
      { canary: 0.5, stable: 0 },
      {
        orders: { perSecond: 40, failRates: { canary: 0, stable: 0 } },
      },
    );
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      culprit: 'errors',
      notJudged: ['orders'],
    });
  });
});

describe('a plain limit', () => {
  const thresholds = [{ name: 'queue-age', query: 'max(queue_age_seconds)', max: 30 }];

  test('that is passed after the release has begun is harm, with its own words, and stays so', async () => {
    stage.number = '4';
    await stage.begin({ thresholds });
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
    stage.number = '45';
    await stage.pass(20);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      culprit: 'queue-age',
      sentence: 'queue-age is 45, at most 30 is allowed, in 3 of the last 5 looks.',
    });
    stage.number = '4';
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({ level: 'harmful', culprit: 'queue-age' });
  });

  test('that was passed is known to an operator that restarts', async () => {
    stage.number = '4';
    const subject = await stage.begin({ thresholds });
    await stage.pass(30);
    stage.number = '45';
    await stage.pass(20);
    const saved = stage.saved();
    stage.number = '4';
    await stage.restart();
    stage.collector.watch({ ...stage.subject({ thresholds }), beganAtMs: subject.beganAtMs, resume: saved });
    await stage.pass(2);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful', culprit: 'queue-age' });
  });

  test('without a number is no verdict, and no step rests on it', async () => {
    await stage.begin({ thresholds });
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm', stepAcceptable: false });
  });
});

describe('the split of the requests', () => {
  const settings = settingsOf(errors);

  test('is held against what the step plans, by requests that lie wholly in it', async () => {
    stage.plannedPercent = 10;
    await stage.begin({ settings });
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm', stepAcceptable: true });
    expect(stage.answer()).not.toHaveProperty('splitOff');
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 0.3 };
    await stage.pass(240);
    expect(stage.answer()).toMatchObject({ kind: 'judged', splitOff: expect.any(String) });
  });

  test('is not judged while the routes are being changed', async () => {
    stage.plannedPercent = 10;
    await stage.begin({ settings });
    await stage.pass(60);
    stage.collector.stepEnded('uid/1');
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 0.3 };
    await stage.pass(240);
    expect(stage.answer()).not.toHaveProperty('splitOff');
  });
});

describe('pods that are scraped', () => {
  const old = ['old-0', 'old-1', 'old-2', 'old-3'];
  const scraped = () => ({ source: source('app'), scrape: stage.scrape() });

  test('tell a bad version within seconds, and of the present the source is not asked', async () => {
    for (const pod of [...old, 'new-0', 'new-1']) stage.scrapable.add(pod);
    await stage.begin(scraped(), { canary: 0.5, stable: 0 });
    const { queries: ofThePast } = stage;
    const sinceMs = stage.clock.nowMs();
    await stage.pass(12);
    expect(stage.secondsTo('harmful', sinceMs)).toBeLessThanOrEqual(8);
    expect(stage.queries).toBe(ofThePast);
    await stage.pass(5);
    const { canary } = stage.fleet.truth;
    const counted = stage.collector.reading('uid/1')?.explain?.engines.find(({ name }) => name === 'app');
    // Up to the last round.
    expect(counted?.canary.requests).toBeGreaterThan(canary.requests - 25);
    expect(counted?.canary.requests).toBeLessThanOrEqual(canary.requests);
  });

  test('and do not answer are read from the source, as if nobody had tried', async () => {
    await stage.begin(scraped(), { canary: 0.5, stable: 0 });
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
    const { scrapes } = stage;
    await stage.pass(20);
    expect(stage.scrapes).toBe(scrapes);
  });

  test('and do not answer are read from the source before the gateway alone has begun to judge', async () => {
    await stage.begin({ source: source('traefik'), scrape: stage.scrape() });
    await stage.pass(60);
    const engines = stage.collector.reading('uid/1')?.explain?.engines.map(({ name }) => name);
    expect(engines).toEqual(['gateway', 'app']);
  });

  test('are not exchanged for the source in the middle of an attempt: requests would count twice', async () => {
    for (const pod of [...old, 'new-0', 'new-1']) stage.scrapable.add(pod);
    const subject = await stage.begin(scraped());
    await stage.pass(30);
    const saved = stage.saved();
    const { queries: ofThePast } = stage;
    await stage.restart();
    stage.collector.watch({ ...stage.subject({ source: source('app') }), beganAtMs: subject.beganAtMs, resume: saved });
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({
      kind: 'sourceDown',
      sentence: expect.stringContaining('no longer has Serin scrape pods'),
    });
    expect(stage.queries).toBe(ofThePast);
  });
});

describe('cost', () => {
  const shape = { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 };
  const cost: NonNullable<Subject['cost']> = {
    settings: {
      metrics: [{ name: 'cost', tolerateRatio: 1.15, maxExtraPerMonth: 1, do: 'hold' }],
      logHold: Math.log(100),
      logRollback: Math.log(1000),
    },
    counters: [],
    world: () => ({ shapes: { canary: shape, stable: shape }, scaling: { kind: 'fixed', replicas: 4 } }),
  };
  const half = { canaryWeight: 0.5 };

  test('of a version that needs 60% more CPU is told within ten minutes, at once, and is no harm', async () => {
    await stage.begin({ cost, source: source('app') }, noErrors, { ...half, cpu: { canary: 0.016, stable: 0.01 } });
    await stage.pass(600);
    expect(stage.answer()).toMatchObject({
      kind: 'judged',
      level: 'calm',
      cost: { state: 'dearer', do: 'hold', culprit: 'cost' },
      stepAcceptable: false,
      brakeReleasable: true,
    });
    expect(stage.changes.some(({ answer }) => answer.kind === 'judged' && answer.cost?.state === 'dearer')).toBe(true);
    const { cost: saved } = stage.saved();
    expect(saved).toMatchObject({ dearer: { culprit: 'cost' } });
  });

  test('of the same version is fine, also over a restart, and where pods are scraped', async () => {
    await stage.begin({ cost, source: source('app') }, noErrors, { ...half, cpu: { canary: 0.01, stable: 0.01 } });
    await stage.pass(90);
    const resume = stage.saved();
    await stage.restart();
    stage.collector.watch(stage.subject({ cost, source: source('app'), resume }));
    stage.collector.arm('uid/1', 'twoArms');
    await stage.pass(900);
    expect(stage.answer()).toMatchObject({ kind: 'judged', cost: { state: 'fine' }, stepAcceptable: true });
  });

  test('is not looked for in the bake, and what was found stays', async () => {
    await stage.begin({ cost, source: source('app') }, noErrors, { ...half, cpu: { canary: 0.01, stable: 0.01 } });
    await stage.pass(1000);
    stage.collector.arm('uid/1', 'bake');
    stage.fleet.traffic = { ...stage.fleet.traffic, canaryWeight: 1, cpu: { canary: 0.05, stable: 0.01 } };
    await stage.pass(300);
    expect(stage.answer()).toMatchObject({ kind: 'judged', judge: 'bake', cost: { state: 'fine' } });
  });
});
