import type { RolloutStatus } from '../api/rollout-status.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { StatusWriter } from './status-writer.ts';

const condition = (type: 'Ready' | 'Judged', status: 'True' | 'False', reason: string, message = '') =>
  ({ type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' }) as const;
const before: RolloutStatus = {
  phase: 'Progressing',
  reason: 'Judging',
  message: 'fails 0 of 10',
  conditions: [condition('Ready', 'False', 'Judging')],
  canary: { hash: 'bbb', image: 'i', weight: 10, replicas: 2, ready: 2, step: 1, steps: 4 },
  journal: { version: 1, attempts: 1, handledActions: [] },
};

function writer() {
  const clock = new ManualClock();
  const status = new StatusWriter(clock);
  status.written('shop/checkout');
  return {
    clock,
    change: (after: RolloutStatus, from: unknown = before) => status.changeOf('shop/checkout', from, after, []),
  };
}

test('an unchanged status needs no write', () => {
  expect(writer().change(before).kind).toBe('none');
});

test.each<[string, RolloutStatus]>([
  ['the journal', { ...before, journal: { version: 1, attempts: 2, handledActions: [] } }],
  ['the phase', { ...before, phase: 'Braked' }],
  ['whether it is Ready', { ...before, conditions: [condition('Ready', 'True', 'Judging')] }],
  ['the generation', { ...before, observedGeneration: 2 }],
])('a change of %s is written at once', (_what, after) => {
  expect(writer().change(after).kind).toBe('write');
});

test('words and counts are written at most every 30 s', async () => {
  const { clock, change } = writer();
  const after = { ...before, message: 'fails 0 of 20' };
  await clock.advance(10_000);
  expect(change(after)).toEqual({ kind: 'later', inMs: 20_000 });
  await clock.advance(20_000);
  expect(change(after)).toEqual({ kind: 'write', patch: { message: 'fails 0 of 20' } });
});

test('a turn within a phase waits for a few seconds, so that those that pass are never written', async () => {
  const { clock, change } = writer();
  const after = { ...before, reason: 'Shifting' };
  expect(change(after)).toEqual({ kind: 'later', inMs: 5_000 });
  await clock.advance(5_000);
  expect(change(after).kind).toBe('write');
});

test('what the judge says is no reason to hurry, only what is decided from it', () => {
  const judged = condition('Judged', 'True', 'AgainstStable');
  expect(writer().change({ ...before, conditions: [condition('Ready', 'False', 'Judging'), judged] }).kind).toBe(
    'later',
  );
});

test('a field that is over is removed', () => {
  const { canary: _gone, ...after } = before;
  expect(writer().change(after)).toEqual({ kind: 'write', patch: { canary: null } });
});

test('the first status of a Rollout is written at once', () => {
  expect(writer().change(before, {})).toEqual({ kind: 'write', patch: before });
});
