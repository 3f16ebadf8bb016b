/** Owns what a decision rule is: something that looks at windows in order and may call the release back. */
import type { Window } from '../../../src/analysis/engine.ts';
import type { Before } from '../before.ts';

/** `brake` lowers the weight and `release` gives it back; `none` changes nothing; `back` ends the release. */
export type Call = 'none' | 'brake' | 'release' | 'back';

export interface Rule {
  readonly name: string;
  /** What it is, for people. */
  readonly label: string;
  /** The false alarms that it promises at most, as a probability; undefined where it promises none. */
  readonly promise?: number;
  /**
   * Begins a release. The function keeps what it has seen and is given every window once, in order. `before`: what the hour
   * before the release says; absent where nobody knows.
   */
  open(before?: Before): (window: Window) => Call;
}
