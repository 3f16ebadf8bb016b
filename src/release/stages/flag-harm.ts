/**
 * A flag that a step turned on made both versions worse: it is turned back at once and the step is held. The revision is not
 * blamed for it, because the old version got worse too.
 */
import type { Attempt } from '../../api/rollout-status.ts';
import { isClimbing } from '../climbing.ts';
import type { Note } from '../decision.ts';
import { steppedFlags, turnedBack, withFlag } from '../flags.ts';
import { judgedAnew } from '../fresh-judge.ts';
import { remembering, withAttempt } from '../plan.ts';
import type { World } from '../world.ts';
import { withoutHaste } from './brake.ts';
import { place } from './moving.ts';

interface FlagHarmed {
  readonly world: World;
  readonly attempt: Attempt;
  readonly events: readonly Note[];
}

export function flagHarmed(world: World, attempt: Attempt, nowMs: number): FlagHarmed | undefined {
  const { answer } = world;
  if (answer.kind !== 'judged' || answer.level === 'harmful' || answer.stableShift?.harmful !== true) return undefined;
  const entry = steppedFlags(world.memory, attempt).at(-1);
  if (entry === undefined || attempt.stage === 'promote' || isClimbing(attempt)) return undefined;
  const sentence = `flag ${entry.flag} of ${entry.source} is turned back, because with it the old version got worse too: ${answer.stableShift.sentence}`;
  const message = `${sentence} Skip goes on without the flag.`.slice(0, 1024);
  const note: Note = { type: 'Warning', reason: 'FlagHarm', message: `${place(attempt)}: ${message}` };
  const held: Attempt = { ...withoutHaste(attempt), flagHarm: { step: attempt.step, message, atMs: nowMs } };
  const next = judgedAnew(held, nowMs);
  const memory = withFlag(world.memory, entry.id, (one) => turnedBack(one, nowMs));
  return { world: remembering(world, withAttempt(memory, next)), attempt: next, events: [note] };
}
