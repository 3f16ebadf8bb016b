import type { Answer } from '../analysis/answer.ts';
import type { EffectiveSpec } from '../api/effective.ts';
import type { Attempt } from '../api/rollout-status.ts';
import type { Decision } from '../release/decision.ts';
import type { Memory } from '../release/world.ts';
import type { Subject } from '../signals/subject.ts';
import { ApiDouble } from './api-double.ts';
import { Judging } from './judging.ts';
import { type MetricSourceReading, metricSourceOf } from './metric-sources.ts';
import { fillShop, putRollout, seenIn } from './sample-world.ts';
import type { MetricSource } from './stores.ts';

const found: MetricSourceReading = {
  kind: 'found',
  source: { name: 'prom', address: 'http://prom', timeoutMs: 5000, dataPlane: 'traefik' },
};
const judged = { kind: 'judged', level: 'calm', sentence: 'fine' } as Answer;
const key = 'shop/checkout';

function world(status?: object) {
  const api = new ApiDouble();
  fillShop(api);
  putRollout(api, status === undefined ? {} : { status });
  const { seen, stores } = seenIn(api);
  const calls: string[] = [];
  const subjects: Subject[] = [];
  const state: { source: MetricSourceReading; answer: Answer; nowMs: number } = {
    source: found,
    answer: judged,
    nowMs: 1_000,
  };
  const judging = new Judging({
    stores,
    sourceOf: () => state.source,
    nowMs: () => state.nowMs,
    collector: {
      watch: (subject) => void subjects.push(subject),
      forget: (attempt) => void calls.push(`forget ${attempt}`),
      stepStarted: (_attempt, step, weight) => void calls.push(`step ${step} at ${weight}%`),
      stepEnded: () => void calls.push('on the way'),
      arm: (_attempt, mode) => void calls.push(`arm ${mode}`),
      reading: () => ({ answer: state.answer, saved: { key: 'saved' } as never, explain: undefined, alerts: [] }),
    },
  });
  const { spec } = seen;
  const decisionOn = (change: Partial<Attempt> | undefined): Decision => ({
    memory: memoryOf(spec, change),
    report: { phase: 'Progressing', reason: 'Judging', message: '', stalled: false },
    effects: [],
    events: [],
  });
  /** As in a look that finds in status what it decides. */
  const follow = (change: Partial<Attempt> | undefined) => decideTo(change, change);
  const decideTo = (change: Partial<Attempt> | undefined, before: Partial<Attempt> | undefined, part: object = {}) =>
    judging.follow(
      key,
      { ...seen, world: { ...seen.world, memory: memoryOf(spec, before), ...part } },
      decisionOn(change),
    );
  const answer = (change: Partial<Attempt> | undefined) => judging.answerOf(key, memoryOf(spec, change), spec);
  return { decisionOn, decideTo, judging, seen, stores, calls, subjects, state, follow, answer };
}

function memoryOf(spec: EffectiveSpec, change: Partial<Attempt> | undefined): Memory {
  const stable = { uid: 'uid-102', name: 'checkout-aaa', hash: 'aaa', image: 'i', since: '' };
  if (change === undefined)
    return { journal: { version: 1, attempts: 0, handledActions: [] }, stable, quarantined: [] };
  const attempt = {
    number: 7,
    hash: 'bbb',
    image: 'i',
    record: 'r',
    replicaSet: 'checkout-bbb',
    targetUid: 'd',
    spec,
    parents: [],
    beganAtMs: 500,
    stage: 'step',
    stageSinceMs: 0,
    step: 1,
    weightPercent: 25,
    weightSinceMs: 0,
    noSource: false,
    ...change,
  } as unknown as Attempt;
  return { journal: { version: 1, attempts: 7, handledActions: [], attempt }, stable, quarantined: [] };
}

test('an attempt is read with its pods by version, its gateway and its pinned settings', () => {
  const { seen, subjects, follow } = world();
  follow({});
  expect(subjects[0]).toMatchObject({
    key: `${seen.rollout.metadata.uid}/7`,
    namespace: 'shop',
    beganAtMs: 500,
    gateway: { canaryService: 'checkout-canary', stableService: 'checkout', route: 'checkout', port: 80 },
    settings: {
      confidencePercent: 99.9,
      bakeMs: 300_000,
      metrics: [{ name: 'errors', weight: 1, tolerate: { ratio: 1.1 } }],
    },
    source: { name: 'prom' },
  });
  expect(subjects[0]?.pods().stable.map(({ name }) => name)).toEqual(['checkout-aaa-1', 'checkout-aaa-2']);
  expect(subjects[0]?.pods().canary).toEqual([]);
});

test('a step counts from the moment its weight converged, and the bake has a judge of its own', () => {
  const { calls, follow } = world();
  follow({});
  expect(calls).toEqual(['arm twoArms', 'on the way']);
  follow({ convergedAtMs: 900 });
  follow({ stage: 'bake', step: 2 });
  expect(calls.slice(2)).toEqual(['arm twoArms', 'step 1:900 at 25%', 'on the way', 'arm bake', 'on the way']);
});

test('a brake in the bake brings the comparison back, and asks for what is shown from then on', () => {
  const { calls, follow } = world();
  const brake = { sinceMs: 5_000, weightPercent: 2, message: 'doubt', crash: false };
  follow({ stage: 'bake', step: 2, weightPercent: 100, convergedAtMs: 900, brake });
  expect(calls.slice(0, 2)).toEqual(['arm twoArms', 'step 2:braked:5000 at 2%']);
});

test('another judge speaks only once status says why: a write that fails must not cost the evidence that was acted on (S11)', () => {
  const { calls, decideTo } = world();
  const baking = { stage: 'bake', step: 2, weightPercent: 100, convergedAtMs: 900 } as const;
  const brake = { sinceMs: 5_000, weightPercent: 2, message: 'doubt', crash: false };
  decideTo({ ...baking, brake }, baking);
  expect(calls).toContain('arm bake');
  expect(calls).not.toContain('arm twoArms');
  decideTo({ ...baking, brake }, { ...baking, brake });
  expect(calls.at(-3)).toBe('arm twoArms');
  calls.length = 0;
  decideTo(baking, { ...baking, brake });
  expect(calls).not.toContain('arm bake');
  calls.length = 0;
  decideTo(baking, { ...baking, stage: 'promote' });
  expect(calls).toContain('arm bake');
});

test('while what the source demands is read anew, an answer does not stay fresh by itself (S4)', () => {
  const { answer, state, follow } = world();
  follow({});
  expect(answer({})).toBe(judged);
  state.source = { kind: 'unread', sentence: 'Reading Secret a/b.' };
  const old: Answer = { kind: 'sourceDown', sinceMs: 0, everAnswered: true, sentence: 'old' };
  state.answer = old;
  expect(answer({})).toBe(old);
});

test('what the routes really send is what the judge may expect, also under a brake', () => {
  const { seen, calls, decideTo } = world();
  const routes = seen.world.routes.map((route) => ({ ...route, canaryWeightPercent: 5 }));
  const brake = { sinceMs: 0, weightPercent: 5, message: '', crash: false };
  const at = { convergedAtMs: 900, brake };
  decideTo(at, at, { routes });
  expect(calls).toEqual(['arm twoArms', 'step 1:900 at 5%']);
});

test('a check keeps what was learned of the weight that it stands at', () => {
  const { seen, calls, follow } = world();
  const [first, second] = seen.spec.strategy.steps;
  const check = { requests: [], withinMs: 60_000 };
  const steps = [first, { weightPercent: 5, atLeastMs: 0, check }, second] as Attempt['spec']['strategy']['steps'];
  const spec = { ...seen.spec, strategy: { ...seen.spec.strategy, steps } };
  follow({ spec, weightPercent: 5, convergedAtMs: 900 });
  expect(calls).toEqual(['arm twoArms', 'on the way']);
});

test('every metric of the Rollout reaches the judge: those that compare, the counters, and the limits', () => {
  const { seen, subjects, follow } = world();
  const metrics = [
    { kind: 'errors', tolerate: '5%', ruleOut: '3x' },
    { kind: 'latency', thresholdMs: 300, tolerate: '20%', ruleOut: '2x + 1pp' },
    { kind: 'counters', name: 'conversion', bad: 'b', total: 't', tolerate: '10%', ruleOut: '2x' },
    { kind: 'threshold', name: 'queue-age', query: 'q', max: 30 },
  ] as const;
  follow({ spec: { ...seen.spec, analysis: { ...seen.spec.analysis, metrics: [...metrics] } } });
  expect(subjects[0]?.settings.metrics).toMatchObject([
    { kind: 'count', name: 'errors', tolerate: { ratio: 1.05 }, ruleOut: { ratio: 3 } },
    {
      kind: 'latency',
      name: 'latency',
      tolerateRatio: 1.2,
      thresholdSeconds: 0.3,
      ruleOut: { ratio: 2, absolute: 0.01 },
    },
    { kind: 'count', name: 'conversion', tolerate: { ratio: 1.1, absolute: 0 } },
  ]);
  expect(subjects[0]?.settings.metrics.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1);
  expect(subjects[0]?.queries).toEqual([{ name: 'conversion', bad: 'b', total: 't' }]);
  expect(subjects[0]?.thresholds).toEqual([{ name: 'queue-age', query: 'q', max: 30 }]);
});

test('going back and promoting are not read any more, and the last answer stays', () => {
  const { seen, calls, answer, follow, state } = world();
  follow({});
  expect(answer({})).toBe(judged);
  follow({ stage: 'retreat' });
  expect(calls).toContain(`forget ${seen.rollout.metadata.uid}/7`);
  state.answer = { kind: 'noEvidence', reason: 'waiting', sentence: '' };
  expect(answer({ stage: 'retreat' })).toBe(judged);
});

test('a restart goes on from the evidence of the same attempt, and from no other', () => {
  const uid = world().seen.rollout.metadata.uid;
  const own = world({ evidence: { version: 2, key: `${uid}/7` } });
  own.follow({});
  expect(own.subjects[0]?.resume).toMatchObject({ key: `${uid}/7` });
  const other = world({ evidence: { version: 2, key: `${uid}/6` } });
  other.follow({});
  expect(other.subjects[0]?.resume).toBeUndefined();
});

test('a new attempt begins without what was known of the one before', () => {
  const { answer, follow, seen, calls } = world();
  follow({});
  answer({});
  follow({ number: 8 });
  expect(calls).toContain(`forget ${seen.rollout.metadata.uid}/7`);
});

describe('a fresh judge of the same attempt', () => {
  const before = { canaryRequests: 100, canaryErrors: 5, stableRequests: 900, stableErrors: 9, excess: 0.04 };
  const ladder: NonNullable<Attempt['ladder']> = {
    rung: 0,
    next: 1,
    beganAtMs: 5_000,
    sinceMs: 5_000,
    cause: { kind: 'judge', reason: 'Errors', message: 'worse' },
    observeFromMs: 9_000,
    before: { ...before, culprit: 'errors' },
    done: [],
  };
  const observing: Partial<Attempt> = { epoch: 1, epochAtMs: 9_000, ladder };

  test('begins at its own moment under a name of its own, and nothing that was found before answers for it', () => {
    const { answer, follow, seen, calls, subjects } = world();
    const { uid } = seen.rollout.metadata;
    follow({});
    expect(answer({})).toBe(judged);
    expect(answer(observing)).toMatchObject({ kind: 'noEvidence' });
    follow(observing);
    expect(calls).toContain(`forget ${uid}/7`);
    expect(subjects.at(-1)).toMatchObject({ key: `${uid}/7.1`, beganAtMs: 9_000 });
    expect(answer(observing)).toBe(judged);
    expect(answer({})).toMatchObject({ kind: 'noEvidence' });
  });

  test('begins only once status says so: a write that fails must not cost the evidence that was acted on (S11)', () => {
    const { answer, decideTo, seen, subjects } = world();
    const { uid } = seen.rollout.metadata;
    decideTo({}, {});
    decideTo(observing, {});
    expect(subjects.at(-1)).toMatchObject({ key: `${uid}/7`, beganAtMs: 500 });
    expect(answer({})).toBe(judged);
    decideTo(observing, observing);
    expect(subjects.at(-1)).toMatchObject({ key: `${uid}/7.1` });
  });

  test('has to show that at least half of the harm is gone, and after the observation the usual again', () => {
    const { follow, subjects } = world();
    const ruleOut = () => subjects.at(-1)?.settings.metrics[0]?.ruleOut;
    follow({});
    const usual = ruleOut();
    follow(observing);
    expect(ruleOut()).toEqual({ ...usual, absolute: 0.02 });
    follow({ epoch: 2, epochAtMs: 20_000, ladder: { ...ladder, endedAtMs: 20_000 } });
    expect(ruleOut()).toEqual(usual);
    follow({ epoch: 3, epochAtMs: 30_000 });
    expect(ruleOut()).toEqual(usual);
  });

  test('goes on from its own evidence after a restart, and never from that of the judge before', () => {
    const { uid } = world().seen.rollout.metadata;
    const own = world({ evidence: { version: 2, key: `${uid}/7.1` } });
    own.follow(observing);
    expect(own.subjects[0]?.resume).toMatchObject({ key: `${uid}/7.1` });
    const other = world({ evidence: { version: 2, key: `${uid}/7` } });
    other.follow(observing);
    expect(other.subjects[0]?.resume).toBeUndefined();
  });

  test('knows that its source has answered before, also after a restart', () => {
    const never: Answer = { kind: 'sourceDown', sinceMs: 0, everAnswered: false, sentence: 'gone' };
    const one = world();
    one.follow({});
    one.answer({});
    one.follow(observing);
    one.state.answer = never;
    expect(one.answer(observing)).toMatchObject({ kind: 'sourceDown', everAnswered: true });
    const { uid } = one.seen.rollout.metadata;
    const two = world({ evidence: { version: 2, key: `${uid}/7` } });
    two.follow(observing);
    two.state.answer = never;
    expect(two.answer(observing)).toMatchObject({ kind: 'sourceDown', everAnswered: true });
  });
});

describe('a flag step', () => {
  const bad = { stableRequests: 20_000, stableErrors: 40, canaryRequests: 1_000, canaryErrors: 2 };
  const counted = (stableRequests: number, stableErrors: number) =>
    ({ ...judged, ...bad, stableRequests, stableErrors }) as Answer;
  const entry = {
    id: 'a',
    source: 's',
    flag: 'f',
    variant: 'on',
    why: 'step',
    revision: 'bbb',
    attempt: 7,
    state: 'served',
    sinceMs: 9_000,
    servedAtMs: 9_000,
  } as const;

  function stepped(status?: object) {
    const stage = world(status);
    const { seen } = stage;
    const steps = [{ weightPercent: 25, atLeastMs: 0, flag: { source: 's', name: 'f', variant: 'on' } }];
    const spec = { ...seen.spec, strategy: { ...seen.spec.strategy, steps } };
    const memory = (epoch: Partial<Attempt>) => {
      const plain = memoryOf(spec, { step: 0, ...epoch });
      return { ...plain, journal: { ...plain.journal, flags: [entry] } };
    };
    const follow = (epoch: Partial<Attempt>) =>
      stage.judging.follow(
        key,
        { ...seen, world: { ...seen.world, memory: memory(epoch) } },
        { ...stage.decisionOn({}), memory: memory(epoch) },
      );
    const answer = (epoch: Partial<Attempt>) => stage.judging.answerOf(key, memory(epoch), spec);
    return { ...stage, follow, answer };
  }

  const turnedOn = { epoch: 1, epochAtMs: 9_000 };

  test('that makes the old version fail more than before is said, also after a restart', () => {
    const { answer, follow, state, judging, seen } = stepped();
    follow({});
    state.answer = counted(20_000, 40);
    answer({});
    follow(turnedOn);
    let requests = 0;
    for (let second = 0; second < 60; second += 5) {
      state.nowMs += 5_000;
      requests += 500;
      state.answer = counted(requests, requests / 10);
      answer(turnedOn);
    }
    expect(answer(turnedOn)).toMatchObject({
      stableShift: { harmful: true, sentence: expect.stringContaining('before 0.2 %, 40 of 20000') },
    });
    const evidence = {
      ...judging.evidenceOf(key),
      version: 2,
      key: `${seen.rollout.metadata.uid}/7.1`,
    };
    const again = stepped({ evidence: JSON.parse(JSON.stringify(evidence)) as object });
    again.follow(turnedOn);
    again.state.answer = counted(requests, requests / 10);
    expect(again.answer(turnedOn)).toMatchObject({ stableShift: { harmful: true } });
  });

  test('that changes nothing about the old version is not accused', () => {
    const { answer, follow, state } = stepped();
    follow({});
    state.answer = counted(20_000, 40);
    answer({});
    follow(turnedOn);
    state.nowMs += 5_000;
    state.answer = counted(1_000, 2);
    expect(answer(turnedOn)).toMatchObject({ stableShift: { harmful: false } });
  });

  test('and no other judge looks at the old version alone', () => {
    const { answer, follow, state } = world();
    follow({});
    state.answer = counted(20_000, 40);
    expect(answer({})).not.toHaveProperty('stableShift');
  });
});

test('without an attempt nothing is read, and whether there is a source is said', () => {
  const { answer, state, subjects, follow } = world();
  follow(undefined);
  expect(subjects).toEqual([]);
  expect(answer(undefined).kind).toBe('noEvidence');
  state.source = { kind: 'none' };
  expect(answer(undefined).kind).toBe('noSource');
});

test('a named source that is not there is an outage and no verdict (S7)', () => {
  const { answer, state, follow } = world();
  state.source = { kind: 'missing', sentence: 'MetricSource prom does not exist' };
  follow({});
  expect(answer({})).toEqual({
    kind: 'sourceDown',
    sinceMs: 500,
    everAnswered: false,
    sentence: 'MetricSource prom does not exist',
  });
});

test('a source that vanishes later has answered before, and is down since it was missed', () => {
  const { answer, state, follow } = world();
  follow({});
  answer({});
  state.source = { kind: 'missing', sentence: 'gone' };
  state.nowMs = 9_000;
  follow({});
  expect(answer({})).toEqual({ kind: 'sourceDown', sinceMs: 9_000, everAnswered: true, sentence: 'gone' });
});

test('an attempt that began without a source is not judged by one that came later', () => {
  const { answer, subjects, follow } = world();
  follow({ noSource: true });
  expect(subjects).toEqual([]);
  expect(answer({ noSource: true })).toEqual({ kind: 'noSource' });
});

function source(name: string, spec: object): MetricSource {
  const prometheus = { address: `http://${name}:9090` };
  return { metadata: { name }, spec: { prometheus, ...spec } } as unknown as MetricSource;
}

describe('which metric source is meant', () => {
  test('the one that is named', () => {
    expect(metricSourceOf([source('a', { default: true }), source('b', {})], 'b')).toMatchObject({
      kind: 'found',
      source: { name: 'b', dataPlane: 'app', timeoutMs: 5000 },
    });
  });

  test('else the one marked default, and of several the first by name', () => {
    expect(metricSourceOf([source('b', { default: true }), source('a', { default: true })], undefined)).toMatchObject({
      source: { name: 'a' },
    });
    expect(metricSourceOf([source('b', {})], undefined)).toEqual({ kind: 'none' });
  });

  test('one that is not there, or cannot be read, is said with whose move it is', () => {
    expect(metricSourceOf([], 'b')).toMatchObject({
      kind: 'missing',
      sentence: expect.stringContaining('MetricSource b (analysis.source) does not exist'),
    });
    expect(metricSourceOf([source('b', { prometheus: { address: 'ftp://x' } })], 'b')).toMatchObject({
      kind: 'missing',
      sentence: expect.stringContaining('cannot be used'),
    });
  });
});
