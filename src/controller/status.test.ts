import { JOURNAL_VERSION } from '../api/rollout-status.ts';
import { readStatus } from './status.ts';

const journal = { version: JOURNAL_VERSION, attempts: 3, handledActions: ['a'] };
const stable = { uid: 'u', name: 'n', hash: 'h', image: 'i', since: '2026-01-01T00:00:00Z' };

test('a Rollout without status has no past', () => {
  expect(readStatus(undefined)).toMatchObject({
    hasJournal: false,
    memory: { journal: { version: JOURNAL_VERSION, attempts: 0 }, stable: undefined, quarantined: [] },
  });
});

test('what was written is read back', () => {
  expect(readStatus({ journal, stable }).memory).toEqual({ journal, stable, quarantined: [] });
});

test('a journal that cannot be read counts as lost, and the rest is kept', () => {
  const { hasJournal, memory } = readStatus({ journal: { version: JOURNAL_VERSION, attempts: 'many' }, stable });
  expect(hasJournal).toBe(false);
  expect(memory.stable).toEqual(stable);
});

test('of a newer journal the version is enough: the core holds', () => {
  const { hasJournal, memory } = readStatus({ journal: { version: JOURNAL_VERSION + 1, attempts: { shape: 'new' } } });
  expect(hasJournal).toBe(true);
  expect(memory.journal.version).toBe(JOURNAL_VERSION + 1);
});

test('an attempt that an older Serin pinned is read, and written down as one that only this version can read', () => {
  const spec = {
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    traffic: { service: 'shop', routes: [{ kind: 'HTTPRoute', name: 'shop' }], alsoReachable: [], drainMs: 15_000 },
    strategy: {
      steps: [{ weightPercent: 5, atLeastMs: 30_000 }],
      bakeMs: 300_000,
      podsReadyWithinMs: 600_000,
      allowTwoVersions: false,
    },
    analysis: {
      confidencePercent: 99.9,
      errors: { tolerate: '5%', ruleOut: '3x' },
      whenUnsure: { afterMs: 600_000, do: 'proceed' },
      onSourceDown: { afterMs: 300_000, do: 'hold' },
    },
  };
  const attempt = {
    number: 3,
    hash: 'b',
    image: 'shop:b',
    record: 'shop-b-3',
    replicaSet: 'shop-b',
    targetUid: 'd',
    spec,
    parents: [],
    beganAtMs: 1,
    stage: 'step',
    stageSinceMs: 1,
    step: 0,
    weightPercent: 5,
    weightSinceMs: 1,
    noSource: false,
  };
  const older = { version: 1, attempts: 3, handledActions: [] };
  const { hasJournal, memory } = readStatus({ journal: { ...older, attempt } });
  expect(hasJournal).toBe(true);
  expect(memory.journal).toMatchObject({ version: JOURNAL_VERSION, attempt: { number: 3, stage: 'step' } });
  expect(memory.journal.attempt?.spec.analysis).toMatchObject({
    mode: 'enforce',
    metrics: [{ kind: 'errors', tolerate: '5%', ruleOut: '3x' }],
  });
  expect(readStatus({ journal: older }).memory.journal.version).toBe(1);
});
