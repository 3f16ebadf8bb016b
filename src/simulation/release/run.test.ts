/** Simulated releases end as releases of the operator do, and the same seed plays the same one. */
import { playRun } from './run.ts';
import { noises, readScenario, ScenarioError } from './scenario.ts';
import { summaryOf } from './summary.ts';

const strategy = 'strategy: { steps: [{ weight: 25, atLeast: 10s }], bake: 30s }\n';
const scenarioOf = (errors: string, rest = '') =>
  readScenario(`traffic: { perSecond: 200 }\nerrors: ${errors}\n${strategy}${rest}`);

test('a healthy version is promoted, with every step told in order', () => {
  const run = playRun(scenarioOf('{ stable: 0.1%, canary: 0.1% }'), 1);
  expect(run).toMatchObject({ outcome: 'Promoted', backAfterMs: undefined });
  expect(run.said.map(({ reason }) => reason)).toEqual([
    'ReleaseStarted',
    'Stepped',
    'Baking',
    'Promoting',
    'Promoted',
  ]);
  expect(run.canaryErrors).toBeLessThan(100);
  expect(Math.max(...run.moments.map(({ weightPercent }) => weightPercent))).toBe(100);
});

test('a version that fails half of its requests is braked, and rolled back within a minute', () => {
  const run = playRun(scenarioOf('{ stable: 0.1%, canary: 50% }'), 1);
  expect(run.outcome).toBe('RolledBack');
  expect(run.brakedAfterMs).toBeLessThan(15_000);
  expect(run.backAfterMs).toBeLessThan(60_000);
  expect(run.moments.at(-1)?.weightPercent).toBe(0);
});

test('a version that turns bad later is found from then on', () => {
  const run = playRun(
    scenarioOf('{ stable: 0.1%, canary: 50%, after: 60s }', 'analysis: { whenUnsure: { do: hold } }\n'),
    1,
  );
  expect(run.outcome).toBe('RolledBack');
  expect(run.backAfterMs).toBeGreaterThan(0);
  expect(run.backAfterMs).toBeLessThan(90_000);
  expect(run.endMs).toBeGreaterThan(60_000);
});

test('with hardly any traffic the release waits for a person where the file says hold', () => {
  const text = `traffic: { perSecond: 0.05 }\nscrape: 1m\nerrors: { canary: 0% }\n${strategy}`;
  expect(playRun(readScenario(`${text}analysis: { whenUnsure: { after: 1m, do: hold } }\n`), 1).outcome).toBe(
    'Undecided',
  );
  expect(playRun(readScenario(`${text}analysis: { whenUnsure: { after: 1m, do: proceed } }\n`), 1).outcome).toBe(
    'Promoted',
  );
});

test('a version that answers half as fast is rolled back for its latency, and one that is as fast is promoted', () => {
  const latency = (canary: string) =>
    scenarioOf(
      '{ stable: 0.1%, canary: 0.1% }',
      `latency: { median: 80ms, canary: ${canary} }\nanalysis: { metrics: [{ errors: {} }, { latency: {} }] }\n`,
    );
  const slow = playRun(latency('2x'), 1);
  expect(slow.outcome).toBe('RolledBack');
  expect(slow.said.map(({ reason }) => reason)).toContain('Latency');
  expect(playRun(latency('1x'), 1).outcome).toBe('Promoted');
});

test.each(noises)('with noise %s a release comes to an end, twice the same way', (noise) => {
  const scenario = scenarioOf('{ stable: 0.2%, canary: 0.2% }', `noise: ${noise}\n`);
  const run = playRun(scenario, 5);
  expect(run.moments.length).toBeGreaterThan(10);
  expect(playRun(scenario, 5)).toEqual(run);
  expect(playRun(scenario, 6)).not.toEqual(run);
});

test('a summary counts ends and gives the middle of what they took', () => {
  const scenario = scenarioOf('{ stable: 0.1%, canary: 50% }');
  const { ends, braked, releases } = summaryOf([1, 2, 3, 4, 5].map((seed) => playRun(scenario, seed)));
  expect(releases).toBe(5);
  expect(ends).toMatchObject([{ outcome: 'RolledBack', releases: 5 }]);
  expect(ends[0]?.milliseconds?.median).toBeLessThan(60_000);
  expect(braked.releases).toBe(5);
});

describe('a file that is no scenario', () => {
  test.each([
    ['errors: { canary: 1% }', 'traffic: Invalid input'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 0.01 }', 'errors.canary'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 101% }', 'at most 100%'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 1% }\nsteps: [5]', 'steps'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 1% }\nstrategy: { steps: [{ weight: 500 }] }', 'spec.strategy'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 1% }\nanalysis: { source: prometheus }', 'analysis.source'],
    ['traffic: { perSecond: 10 }\nerrors: { canary: 1% }\nanalysis: { metrics: [{ latency: {} }] }', 'latency.median'],
    [
      'traffic: { perSecond: 10 }\nerrors: { canary: 1% }\nanalysis: { metrics: [{ query: { name: a, bad: b, total: c } }] }',
      'only errors and latency',
    ],
    ['a: [', 'at line 1'],
  ])('%j is refused in words that name the place', (text, words) => {
    expect(() => readScenario(text)).toThrow(ScenarioError);
    expect(() => readScenario(text)).toThrow(words);
  });
});
