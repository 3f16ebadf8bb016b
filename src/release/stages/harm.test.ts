import type { CostView } from '../../analysis/answer.ts';
import { decide } from '../decide.ts';
import {
  acceptable,
  asking,
  attemptIn,
  baking,
  judged,
  MINUTE,
  NOW,
  prepared,
  stepping,
  withSpec,
} from '../sample-world.ts';
import type { AlertView, World } from '../world.ts';

const alert = (wish: AlertView['do']): readonly AlertView[] => [
  { do: wish, sentence: 'alert ErrorBudgetBurn fires for 2 minutes.', firingForMs: 2 * MINUTE },
];
const dear = (wish: CostView['do']): World['answer'] => ({
  ...acceptable,
  cost: { state: 'dearer', do: wish, sentence: 'it needs 61% more CPU per request, 140 a month more.' },
});

test.each<[string, World]>([
  ['a step', stepping(0)],
  ['the bake', baking()],
])('while an alert fires nothing goes on from %s, and a person is asked', (_what, world) => {
  const decided = decide({ ...world, answer: acceptable, alerts: alert('hold') }, NOW);
  expect(attemptIn(decided)).toMatchObject({ stage: world.memory.journal.attempt?.stage });
  expect(decided.report).toMatchObject({ reason: 'AlertFiring', stalled: true, verdict: 'Alert' });
  expect(decided.report.message).toContain('alert ErrorBudgetBurn fires for 2 minutes.');
});

test('before the first weight an alert holds it too', () => {
  const decided = decide({ ...prepared(), answer: judged(), alerts: alert('hold') }, NOW);
  expect(attemptIn(decided).stage).toBe('begin');
  expect(decided.report.reason).toBe('AlertFiring');
});

test('no route rises to a weight that was not reached while an alert fires', () => {
  const world = { ...stepping(1, { convergedAtMs: undefined as never }), alerts: alert('hold') };
  delete world.memory.journal.attempt?.convergedAtMs;
  const low = { ...world, routes: world.routes.map((route) => ({ ...route, canaryWeightPercent: 10 })) };
  expect(decide(low, NOW).effects).toEqual([]);
});

test('an alert that says rollback goes back, under its own name', () => {
  const decided = decide({ ...stepping(0), alerts: alert('rollback') }, NOW);
  expect(attemptIn(decided).retreat).toMatchObject({ why: 'harm', reason: 'Alert' });
  expect(decided.memory.quarantined).toMatchObject([{ reason: 'Alert' }]);
});

test('an alert that still fires is no fresh harm after a flag was changed, and yet nothing goes on before it ends', () => {
  const world = withSpec(stepping(1), (spec) => {
    spec.onAnomaly = [{ kind: 'observe', forMs: 2 * MINUTE }, { kind: 'rollback' }];
  });
  const firing = { ...world, alerts: alert('rollback') };
  const braked = decide(firing, NOW);
  expect(attemptIn(braked).ladder).toMatchObject({ cause: { kind: 'alert' } });
  const still = decide({ ...firing, memory: braked.memory, answer: acceptable }, NOW + MINUTE);
  expect(attemptIn(still)).toMatchObject({ stage: 'step', brake: {} });
  const over = decide({ ...firing, memory: braked.memory, alerts: [], answer: acceptable }, NOW + MINUTE);
  expect(attemptIn(over).brake).toBeUndefined();
  expect(over.report.reason).toBe('HarmGone');
  const late = decide({ ...firing, memory: braked.memory, answer: acceptable }, NOW + 2 * MINUTE);
  expect(attemptIn(late).retreat?.reason).toBe('Alert');
});

test('a version that is too dear is held with the amount, and is not braked', () => {
  const decided = decide({ ...stepping(0), answer: dear('hold') }, NOW);
  expect(decided.report).toMatchObject({ reason: 'CostTooHigh', stalled: true, verdict: 'Cost' });
  expect(decided.report.message).toContain('140 a month more.');
  expect(attemptIn(decided)).toMatchObject({ step: 0 });
  expect(attemptIn(decided).brake).toBeUndefined();
});

test.each(['skip', 'promote'] as const)('a person who asks to %s pays for it: cost is a wait and no harm', (action) => {
  const decided = decide(asking({ ...stepping(0), answer: dear('hold') }, action), NOW);
  expect(attemptIn(decided).weightPercent).toBeGreaterThan(10);
});

test('where the Rollout says so a version that is too dear goes back', () => {
  expect(attemptIn(decide({ ...stepping(0), answer: dear('rollback') }, NOW)).retreat).toMatchObject({
    why: 'harm',
    reason: 'CostTooHigh',
  });
});

test('what it costs is not known yet: the next step waits for it as for any evidence', () => {
  const cost = { state: 'unknown', do: 'hold', sentence: 'no prices.', waits: 'step' } as const;
  expect(attemptIn(decide({ ...stepping(0), answer: { ...acceptable, cost } }, NOW)).step).toBe(0);
});

test.each<[string, Partial<World>]>([
  ['an alert', { alerts: alert('rollback') }],
  ['cost', { answer: dear('rollback') }],
])('in mode observe %s is told and nothing is done about it', (_what, part) => {
  const world = withSpec(stepping(0), (spec) => {
    spec.analysis = { ...spec.analysis, mode: 'observe' };
  });
  const decided = decide({ ...world, ...part }, NOW);
  expect(attemptIn(decided).stage).toBe('step');
  expect(attemptIn(decided).wouldHave?.rolledBack).toBeDefined();
});
