/** Owns how the acts of people are typed; it does none of them. */
import type { RolloutActionSpec } from '../api/rollout-action.ts';

export type Act = RolloutActionSpec['action'];

/** As it is typed. */
export function commandOf(action: Act): string {
  return action === 'restoreFlags' ? 'restore-flags' : action;
}

/** What flags were left changed by may be a release of long ago. */
export function isAboutOneRevision(action: Act): boolean {
  return action !== 'restoreFlags';
}
