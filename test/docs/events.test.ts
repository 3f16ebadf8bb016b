/** A release that goes well is told in few Events: what is written for people must be readable by people. */
import { EVENT_REASONS } from '../../src/api/reasons.ts';
import type { Note } from '../../src/release/decision.ts';
import { serin, time, worldGoesOn } from '../model/moves.ts';
import { type Setup, SETUPS } from '../model/setup.ts';

/** The release of the model check, with as many steps as a user has who changes nothing. */
function withSteps(weights: readonly number[]): Setup {
  const setup = SETUPS.find(({ name }) => name === 'release');
  if (setup === undefined) throw new Error('the model check has no plain release');
  const { strategy } = setup.spec;
  const steps = weights.map((weightPercent) => ({ weightPercent, atLeastMs: strategy.steps[0]?.atLeastMs ?? 0 }));
  return { ...setup, spec: { ...setup.spec, strategy: { ...strategy, steps } } };
}

/** Lets the world go on between any two looks of Serin, until the release is over. */
function told(setup: Setup): Note[] {
  const notes: Note[] = [];
  let cluster = setup.start;
  for (let looks = 0; looks < 500; looks++) {
    const { decided, next } = serin(cluster, setup);
    notes.push(...(decided?.events ?? []));
    if (notes.at(-1)?.reason === 'Promoted') return notes;
    const gone = worldGoesOn(next);
    cluster = decided?.effects.length === 0 && decided.wakeAfterMs !== 0 ? time(gone, 1) : gone;
  }
  throw new Error(`not promoted; said ${notes.map(({ reason }) => reason).join(', ')}`);
}

test('a clean release with the default steps has seven Events, far below twelve', () => {
  const reasons = told(withSteps([5, 25, 50])).map(({ reason }) => reason);
  expect(reasons).toEqual(['ReleaseStarted', 'Stepped', 'Stepped', 'Stepped', 'Baking', 'Promoting', 'Promoted']);
});

test('its Events are news and no warnings, of the list of reasons', () => {
  for (const note of told(withSteps([10, 50]))) {
    expect(note.type).toBe('Normal');
    expect(EVENT_REASONS).toContain(note.reason);
  }
});
