/** What the control loop is run with; everything that it knows of the outside comes in here. */
import type { Dispatcher } from 'undici';
import type { Metrics } from '../insight/metrics.ts';
import type { Clock, Random } from '../kube/clock.ts';
import type { Transport } from '../kube/transport.ts';
import type { FlagWriteHook } from './flags.ts';
import type { GuardMode } from './guard-mode.ts';
import type { Log } from './log.ts';

export interface LoopOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Which process says what it says, in Events. */
  readonly instance: string;
  /** True while this process holds the Lease. */
  readonly mayWrite: () => boolean;
  /** Only this namespace. */
  readonly namespace?: string;
  /** What holds new templates. Default `auto`. */
  readonly guard?: GuardMode;
  /** Rollouts looked at at once, besides urgent ones. Default 4. */
  readonly workers?: number;
  /** Around each call that may write a flag. */
  readonly onFlagWrite?: FlagWriteHook;
  /** How metric sources are reached; default: directly. */
  readonly sources?: Dispatcher;
  /** The namespace of this process, the only one whose Secrets are read. Default: `serin-system`. */
  readonly ownNamespace?: string;
}
