import type { Answer, Judged } from '../analysis/answer.ts';
import { type Fetched, down } from './fetched.ts';
import type { LookedAt } from './prometheus-number.ts';
import type { ThresholdMetric } from './threshold.ts';
import { ThresholdReader } from './thresholds.ts';

const age: ThresholdMetric = { name: 'queue-age', query: 'max(queue_age_seconds)', max: 30 };
const calm: Judged = {
  kind: 'judged',
  level: 'calm',
  stepAcceptable: true,
  finalAcceptable: true,
  brakeReleasable: true,
  canaryRequestsPerSecond: 5,
  totalRequestsPerSecond: 100,
  canaryRequests: 50,
  canaryErrors: 0,
  stableRequests: 950,
  stableErrors: 1,
  freshAtMs: 0,
  judge: 'twoArms',
  sentence: 'All is well.',
};

const number = (value: number): Fetched<LookedAt> => ({ kind: 'ok', value: { kind: 'number', value } });
const silent: Fetched<LookedAt> = { kind: 'ok', value: { kind: 'none', why: 'no series' } };

/** A world in which the query gives what it is told to, and time passes between looks. */
function world(metrics: readonly ThresholdMetric[] = [age]) {
  let nowMs = 1_000_000;
  let reader = new ThresholdReader(metrics);
  const asked: string[] = [];
  return {
    asked,
    get reader() {
      return reader;
    },
    async look(given: Fetched<LookedAt> | number, hasTraffic = true) {
      const fetched = typeof given === 'number' ? number(given) : given;
      nowMs = Math.max(nowMs + 5_000, reader.dueMs === Infinity ? 0 : reader.dueMs);
      await reader.look(
        async (query) => (asked.push(query), fetched),
        () => nowMs,
        hasTraffic,
      );
    },
    async looks(values: readonly (Fetched<LookedAt> | number)[], hasTraffic = true) {
      for (const value of values) await this.look(value, hasTraffic);
    },
    pass: (ms: number) => (nowMs += ms),
    restart: () => (reader = new ThresholdReader(metrics, JSON.parse(JSON.stringify(reader.saved ?? null)) as never)),
    answer: (answer: Answer = calm) => reader.addTo(answer),
    level: () => {
      const answer = reader.addTo(calm);
      return answer.kind === 'judged' ? answer.level : answer.kind;
    },
    waits: () => {
      const answer = reader.addTo(calm);
      return answer.kind === 'judged' && !answer.stepAcceptable ? answer.waitingFor : undefined;
    },
  };
}

describe('a threshold', () => {
  test('is harm when it was passed in three of the last five looks, and says so with its numbers', async () => {
    const shop = world();
    await shop.looks([10, 10], false);
    await shop.looks([40, 10, 45, 12]);
    expect(shop.level()).toBe('calm');
    await shop.look(45.00012);
    expect(shop.answer()).toMatchObject({
      kind: 'judged',
      level: 'harmful',
      culprit: 'queue-age',
      stepAcceptable: false,
      finalAcceptable: false,
      sentence: 'queue-age is 45, at most 30 is allowed, in 3 of the last 5 looks.',
      canaryRequests: 50,
    });
  });

  test('is no harm at its limit, nor in two looks of five', async () => {
    const shop = world();
    await shop.looks([30, 30, 30, 30, 30]);
    expect(shop.level()).toBe('calm');
    await shop.looks([31, 31, 1, 1, 1, 31, 31, 1]);
    expect(shop.level()).toBe('calm');
  });

  test('can be the least that is allowed', async () => {
    const shop = world([{ name: 'hits', query: 'q', min: 0.9 }]);
    await shop.looks([0.5, 0.5, 0.5]);
    expect(shop.answer()).toMatchObject({
      sentence: 'hits is 0.5, at least 0.9 is allowed, in 3 of the last 3 looks.',
    });
  });

  test('stays harmful for the rest of the attempt, over outages and restarts', async () => {
    const shop = world();
    await shop.looks([50, 50, 50]);
    await shop.looks([1, 1, 1, 1, 1, 1]);
    expect(shop.level()).toBe('harmful');
    shop.restart();
    expect(shop.level()).toBe('harmful');
    const outage: Answer = { kind: 'sourceDown', sinceMs: 0, everAnswered: true, sentence: 'down' };
    expect(shop.answer(outage)).toMatchObject({ kind: 'judged', level: 'harmful', culprit: 'queue-age' });
  });

  test('does not change a verdict that stands already', async () => {
    const shop = world();
    await shop.looks([50, 50, 50]);
    const verdict: Judged = { ...calm, level: 'harmful', culprit: 'errors', sentence: 'Errors.' };
    expect(shop.answer(verdict)).toBe(verdict);
  });

  test('passed before an hour of silence and once after it is no harm: three of five means of one short while', async () => {
    const shop = world();
    await shop.looks([50, 50]);
    shop.pass(3_600_000);
    await shop.look(50);
    expect(shop.level()).toBe('calm');
  });
});

describe('silence is never a verdict', () => {
  test.each<[string, Fetched<LookedAt>, string]>([
    ['no series', silent, 'waiting for queue-age, which gives no series'],
    [
      'an outage',
      down('MetricSource main is down.'),
      'waiting for queue-age, which has no answer: MetricSource main is down',
    ],
  ])('%s holds a step, and nothing more', async (_, given, waits) => {
    const shop = world();
    await shop.looks([1, 1, 1]);
    expect(shop.waits()).toBeUndefined();
    await shop.looks(Array.from({ length: 50 }, () => given));
    expect(shop.level()).toBe('calm');
    expect(shop.waits()).toBe(waits);
    await shop.looks([1, 1, 1]);
    expect(shop.waits()).toBeUndefined();
  });

  test('looks without a number neither count for the release nor against it', async () => {
    const shop = world();
    await shop.looks([50, silent, 50, silent, silent]);
    expect(shop.level()).toBe('calm');
    await shop.look(50);
    expect(shop.answer()).toMatchObject({
      level: 'harmful',
      sentence: expect.stringContaining('in 3 of the last 3 looks'),
    });
  });

  test('nothing is acceptable before the first looks, and three in a row are needed under each weight', async () => {
    const shop = world();
    expect(shop.waits()).toBe('waiting for queue-age, which was not looked at yet');
    await shop.looks([1, 1]);
    expect(shop.waits()).toBe(
      'waiting for 3 looks in a row at queue-age within its limit: it is 1, at most 30 is allowed',
    );
    await shop.look(1);
    expect(shop.waits()).toBeUndefined();
    shop.reader.stepStarted();
    expect(shop.waits()).toContain('3 looks in a row');
  });
});

describe('what was beyond its limit before the first request', () => {
  test('is not held against the release, is said, and lets no step rest on evidence', async () => {
    const shop = world();
    await shop.looks([44, 45], false);
    await shop.looks([46, 47, 48, 49, 50]);
    expect(shop.answer()).toMatchObject({
      level: 'calm',
      stepAcceptable: false,
      sentence:
        'All is well. queue-age was 45 before the first request to the new version, at most 30 is allowed: it is not held against this release.',
      waitingFor: 'waiting for queue-age to get well: it is 50, at most 30 is allowed',
    });
    shop.restart();
    await shop.looks([51, 52, 53]);
    expect(shop.level()).toBe('calm');
  });

  test('counts again once it was well for five looks', async () => {
    const shop = world();
    await shop.looks([44, 45], false);
    await shop.looks([50, 10, 10, 10, 10, 10]);
    expect(shop.waits()).toBeUndefined();
    await shop.looks([50, 50, 50]);
    expect(shop.level()).toBe('harmful');
  });

  test('is not what was passed for a moment, nor what nobody could see', async () => {
    const shop = world();
    await shop.looks([45, 10], false);
    await shop.looks([50, 50, 50]);
    expect(shop.level()).toBe('harmful');
    const unseen = world();
    await unseen.looks([silent, silent], false);
    await unseen.looks([50, 50, 50]);
    expect(unseen.level()).toBe('harmful');
  });
});

describe('looks', () => {
  test('are taken every five seconds while there is traffic, and none while there is none any more', async () => {
    const shop = world();
    expect(shop.reader.dueMs).toBe(0);
    await shop.look(1);
    const { length } = shop.asked;
    await shop.look(1, false);
    expect(shop.asked).toHaveLength(length);
    expect(new ThresholdReader([]).dueMs).toBe(Infinity);
  });

  test('wait as long as a source asks for', async () => {
    const shop = world();
    await shop.look(1);
    const afterOneMs = shop.reader.dueMs;
    await shop.look(down('busy', 30_000));
    expect(shop.reader.dueMs - afterOneMs).toBe(30_000);
  });

  test('of a threshold that was changed are not taken over, and what is spoilt is left out', () => {
    const before = new ThresholdReader([age], [{ of: 'another', harm: { sentence: 'x', atMs: 1 } }]);
    expect(before.addTo(calm)).toMatchObject({ level: 'calm' });
    for (const spoilt of [
      null,
      5,
      'x',
      [null],
      [{ of: 1 }],
      [{ of: JSON.stringify(['queue-age', age.query, 30, null]), looks: [{ atMs: 'x' }, null] }],
    ])
      expect(new ThresholdReader([age], spoilt as never).addTo(calm)).toMatchObject({ level: 'calm' });
  });
});
