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
