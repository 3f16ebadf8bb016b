/** Decides which revision a person means; it never guesses between two. */
import type { RolloutActionSpec } from '../api/rollout-action.ts';
import { EXIT } from '../api/reasons.ts';
import { CliError } from './failure.ts';
import type { RolloutObject } from './objects.ts';

type Action = RolloutActionSpec['action'];

/**
 * The full name of the revision: of the one under release, or for `retry` of a quarantined one. `prefix` is what the
 * user typed, any beginning that fits one revision only; without it the newest is meant.
 *
 * @throws CliError when there is none, or the prefix fits none or several.
 */
export function revisionFor(action: Action, rollout: RolloutObject, prefix?: string): string {
  const candidates = candidatesFor(action, rollout);
  const { name } = rollout.metadata;
  if (candidates[0] === undefined) throw new CliError(nothingTo(action, name), EXIT.needsPerson);
  if (prefix === undefined) return candidates[0];
  const fitting = candidates.filter((hash) => hash.startsWith(prefix));
  const [only, another] = fitting;
  if (only !== undefined && another === undefined) return only;
  const list = candidates.join(', ');
  throw new CliError(
    only === undefined
      ? `no revision of rollout ${name} that can be meant begins with "${prefix}"; there is ${list}`
      : `"${prefix}" is the beginning of several revisions: ${fitting.join(', ')}; give more of it`,
    EXIT.needsPerson,
  );
}

function candidatesFor(action: Action, { status }: RolloutObject): readonly string[] {
  if (action === 'retry') return (status?.quarantined ?? []).map((entry) => entry.hash);
  const current = status?.journal?.attempt?.hash ?? status?.canary?.hash;
  return current === undefined ? [] : [current];
}

function nothingTo(action: Action, name: string): string {
  return action === 'retry'
    ? `rollout ${name} has no quarantined revision, so there is nothing to retry`
    : `rollout ${name} has no release under way, so there is nothing to ${action}`;
}
