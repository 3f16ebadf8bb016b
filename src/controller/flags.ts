/**
 * Carries changes of feature flags to their backends and back, beside everything else, and remembers how far each has come.
 * It decides nothing: what is to be done to a flag is asked of it, and it keeps trying until it is told to stop.
 */
import type { FlagEntry } from '../api/rollout-status.ts';
import { FlagError, isFlagError } from '../flags/flag-error.ts';
import type { FlagBackend } from '../flags/source.ts';
import type { FlagChange, FlagTarget } from '../flags/target.ts';
import type { FlagBackendKind, FlagChangeResult } from '../insight/metrics.ts';
import { type Clock, type Random, untilAborted } from '../kube/clock.ts';
import type { FlagAnswer, FlagTask } from '../release/world.ts';
import { FlagTurns } from './flag-turns.ts';

/** A flag source as a Rollout may use it now. */
export type FlagAccess =
  | {
      readonly kind: 'open';
      readonly backend: FlagBackend['kind'];
      readonly target: FlagTarget;
      readonly withinMs: number;
    }
  /** It is not there or cannot be used; the sentence says why and whose move it is. */
  | { readonly kind: 'closed'; readonly sentence: string }
  /** What it demands is being read for the first time. */
  | { readonly kind: 'unread' };

export interface FlagOrder {
  readonly task: FlagTask;
  readonly entry: FlagEntry;
  /** Of the Rollout. */
  readonly namespace: string;
}

export interface FlagsParts {
  readonly clock: Clock;
  readonly random: Random;
  /** False once leadership ended: another process may be acting already (S12). */
  readonly mayWrite: () => boolean;
  readonly accessTo: (rollout: string, order: FlagOrder) => FlagAccess;
  /** Something else is known now about a flag of this Rollout. */
  readonly onAnswer: (rollout: string) => void;
  readonly onResult: (backend: FlagBackendKind, result: FlagChangeResult) => void;
  /** A fault of ours or of an adapter, which people cannot mend. */
  readonly onSurprise: (error: unknown, order: FlagOrder) => void;
  /** Around each call that may write; for tests that end the process there. */
  readonly onWrite?: FlagWriteHook | undefined;
}

export interface FlagWriteHook {
  before(): void;
  after(): void;
}

/** A call that hangs is given up, so that the next try has its turn. */
const CALL_MS = 10_000;
/** After a call was told to stop, until nobody waits for it any more. */
const GRACE_MS = 2_000;
const LOOK_MS = 500;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const LONGEST_RETRY_AFTER_MS = 60_000;
/** A write that was given up may still arrive. What it could have done is looked for once more after this. */
const LATE_WRITE_MS = 5_000;

type Known = FlagAnswer extends infer One
  ? One extends FlagAnswer
    ? Omit<One, 'id' | 'task' | 'forMs'>
    : never
  : never;

/** One change of a flag, and what is being done about it. */
interface Asked {
  readonly rollout: string;
  readonly order: FlagOrder;
  readonly stop: AbortController;
  /** Cuts the pause between two tries short. */
  wake: AbortController;
  running: Promise<void>;
  known: Known;
  sinceMs: number;
  withinMs: number | undefined;
  /** A write was sent and nobody knows whether it has arrived. */
  isFateUnknown: boolean;
  /** The backend has said yes: from then on it is only looked at. */
  isAccepted: boolean;
  failures: number;
}

export class Flags {
  readonly #parts: FlagsParts;
  readonly #turns = new FlagTurns();
  readonly #asked = new Map<string, Map<string, Asked>>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: FlagsParts) {
    this.#parts = parts;
  }

  /** Ends everything that is under way when `signal` aborts. What was asked is asked again by whoever leads next. */
  async run(signal: AbortSignal): Promise<void> {
    await untilAborted(signal);
    for (const rollout of this.#asked.keys()) this.forget(rollout);
    await Promise.all(this.#running);
  }

  /** What is known of every change that was asked for this Rollout. */
  of(rollout: string): readonly FlagAnswer[] {
    const nowMs = this.#parts.clock.monotonicMs();
    return [...(this.#asked.get(rollout)?.values() ?? [])].map(({ order, known, sinceMs, withinMs }) => ({
      id: order.entry.id,
      task: order.task,
      forMs: nowMs - sinceMs,
      ...(withinMs === undefined ? {} : { withinMs }),
      ...known,
    }));
  }

  /** Begins this and returns at once. The same order again changes nothing; another one for the same change takes its place. */
  ask(rollout: string, order: FlagOrder): void {
    const { id } = order.entry;
    const before = this.#asked.get(rollout)?.get(id);
    if (before?.order.task === order.task) return;
    before?.stop.abort();
    const asked: Asked = {
      rollout,
      order,
      stop: new AbortController(),
      wake: new AbortController(),
      running: Promise.resolve(),
      known: { kind: 'asked' },
      sinceMs: this.#parts.clock.monotonicMs(),
      withinMs: before?.withinMs,
      isFateUnknown: false,
      isAccepted: false,
      failures: 0,
    };
    this.#put(rollout, id, asked);
    asked.running = this.#carryOut(asked, before).finally(() => this.#running.delete(asked.running));
    this.#running.add(asked.running);
  }

  /** Ends what is under way for this change, and forgets it. */
  drop(rollout: string, id: string): void {
    const changes = this.#asked.get(rollout);
    changes?.get(id)?.stop.abort();
    changes?.delete(id);
    if (changes?.size === 0) this.#asked.delete(rollout);
  }

  forget(rollout: string): void {
    for (const id of this.#asked.get(rollout)?.keys() ?? []) this.drop(rollout, id);
  }

  /** Another source may be used now, or one in another way: nobody waits for the next try. */
  reconsider(): void {
    for (const changes of this.#asked.values()) for (const { wake } of changes.values()) wake.abort();
  }

  #put(rollout: string, id: string, asked: Asked): void {
    const changes = this.#asked.get(rollout) ?? new Map<string, Asked>();
    this.#asked.set(rollout, changes.set(id, asked));
  }

  /** One task at a time: what was under way for the same change has ended before. */
  async #carryOut(asked: Asked, before: Asked | undefined): Promise<void> {
    const { signal } = asked.stop;
    if (before !== undefined) {
      await before.running;
      asked.isFateUnknown = before.isFateUnknown;
    }
    while (!signal.aborted) {
      const pauseMs = await this.#try(asked);
      if (pauseMs === undefined || signal.aborted) return;
      asked.wake = new AbortController();
      await this.#parts.clock.sleep(pauseMs, AbortSignal.any([signal, asked.wake.signal]));
    }
  }

  /** After which time to try again; undefined: it is done. */
  async #try(asked: Asked): Promise<number | undefined> {
    const { entry } = asked.order;
    const access = this.#parts.accessTo(asked.rollout, asked.order);
    if (access.kind === 'unread') return LOOK_MS;
    if (access.kind === 'closed') return this.#failed(asked, 'unknown', access.sentence);
    asked.withinMs = access.withinMs;
    try {
      return await this.#turns.inTurn(entry.source, () => this.#advance(asked, access), asked.stop.signal);
    } catch (error) {
      return this.#afterError(asked, access.backend, error);
    }
  }

  async #advance(asked: Asked, access: Open): Promise<number | undefined> {
    switch (asked.order.task) {
      case 'plan':
        return this.#plan(asked, access);
      case 'apply':
        return asked.isAccepted ? this.#verify(asked, access) : this.#apply(asked, access);
      case 'revert':
        return this.#revert(asked, access);
      default:
        return asked.order.task satisfies never;
    }
  }

  async #plan(asked: Asked, { target }: Open): Promise<undefined> {
    const { previous, isServed } = await this.#call(asked, (signal) => target.plan(changeOf(asked.order), signal));
    this.#note(asked, { kind: 'planned', previous, isServed });
    return undefined;
  }

  async #apply(asked: Asked, { target, backend }: Open): Promise<number> {
    asked.isFateUnknown = true;
    await this.#write(asked, (signal) => target.apply(changeOf(asked.order), previousOf(asked.order), signal));
    asked.isFateUnknown = false;
    asked.isAccepted = true;
    asked.failures = 0;
    this.#note(asked, { kind: 'applied' });
    this.#parts.onResult(backend, 'applied');
    return 0;
  }

  async #verify(asked: Asked, { target, backend, withinMs }: Open): Promise<number | undefined> {
    const { served, sentence } = await this.#call(asked, (signal) => target.verify(changeOf(asked.order), signal));
    if (served) {
      this.#note(asked, { kind: 'served' });
      this.#parts.onResult(backend, 'served');
      return undefined;
    }
    if (asked.known.kind === 'applied' && this.#ageMs(asked) < withinMs) return LOOK_MS;
    return this.#failed(asked, backend, sentence);
  }

  async #revert(asked: Asked, { target, backend }: Open): Promise<number | undefined> {
    const done = await this.#reverted(asked, target);
    if (asked.isFateUnknown) {
      asked.isFateUnknown = false;
      return LATE_WRITE_MS;
    }
    this.#note(
      asked,
      done === 'reverted' ? { kind: 'reverted' } : { kind: 'keptByOthers', sentence: kept(asked.order) },
    );
    this.#parts.onResult(backend, done);
    return undefined;
  }

  /** What was there before is written down before anything is written: where it is not, nothing was (S11). */
  async #reverted(asked: Asked, target: FlagTarget): Promise<'reverted' | 'keptByOthers'> {
    const { previous } = asked.order.entry;
    if (previous === undefined) return 'reverted';
    return this.#write(asked, (signal) => target.revert(changeOf(asked.order), previous, signal));
  }

  async #write<T>(asked: Asked, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { onWrite, mayWrite } = this.#parts;
    if (!mayWrite()) throw new FlagError('refused', notSent(asked.order));
    onWrite?.before();
    const result = await this.#call(asked, call);
    onWrite?.after();
    return result;
  }

  /** Given up after a while, whether or not the adapter listens to its signal. */
  async #call<T>(asked: Asked, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#parts;
    const giveUp = new AbortController();
    const over = new AbortController();
    const signal = AbortSignal.any([asked.stop.signal, giveUp.signal]);
    const called = call(signal);
    const watched = clock.sleep(CALL_MS, AbortSignal.any([over.signal, asked.stop.signal])).then(async () => {
      giveUp.abort();
      if (!over.signal.aborted) await clock.sleep(GRACE_MS, over.signal);
      throw new GivenUp();
    });
    try {
      return await Promise.race([called, watched]);
    } catch (error) {
      // What an adapter makes of being told to stop is no news.
      throw giveUp.signal.aborted && !isFlagError(error) ? new GivenUp() : error;
    } finally {
      over.abort();
      await Promise.allSettled([watched]);
    }
  }

  #afterError(asked: Asked, backend: FlagBackend['kind'], error: unknown): number | undefined {
    if (asked.stop.signal.aborted) return undefined;
    if (isFlagError(error)) {
      // An answer that says no means that nothing was written.
      if (error.code !== 'unreachable' && asked.order.task === 'apply') asked.isFateUnknown = false;
      return this.#failed(asked, backend, error.message, error.retryAfterMs);
    }
    if (!(error instanceof GivenUp)) this.#parts.onSurprise(error, asked.order);
    return this.#failed(asked, backend, unanswered(asked.order, error));
  }

  /** While the backend has accepted a change and has its time to serve it, a look that fails is no failure yet. */
  #failed(asked: Asked, backend: FlagBackendKind, sentence: string, retryAfterMs = 0): number {
    asked.failures++;
    const isEarly = asked.known.kind === 'applied' && this.#ageMs(asked) < (asked.withinMs ?? 0);
    if (!isEarly) {
      this.#parts.onResult(backend, 'failed');
      this.#note(asked, { kind: 'failed', sentence });
    }
    const pauseMs = Math.min(SHORTEST_PAUSE_MS * 2 ** (asked.failures - 1), LONGEST_PAUSE_MS);
    return Math.max(pauseMs * (0.75 + this.#parts.random() / 2), Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
  }

  #note(asked: Asked, known: Known): void {
    const { known: before } = asked;
    asked.known = known;
    if (known.kind !== before.kind) asked.sinceMs = this.#parts.clock.monotonicMs();
    const isNews = known.kind !== before.kind || JSON.stringify(known) !== JSON.stringify(before);
    if (isNews && !asked.stop.signal.aborted) this.#parts.onAnswer(asked.rollout);
  }

  #ageMs({ sinceMs }: Asked): number {
    return this.#parts.clock.monotonicMs() - sinceMs;
  }
}

type Open = Extract<FlagAccess, { readonly kind: 'open' }>;

/** Nothing came of a call in its time. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

function changeOf({ entry, namespace }: FlagOrder): FlagChange {
  const { id, flag, variant, percent } = entry;
  return { id, flag, variant, namespace, ...(percent === undefined ? {} : { percent }) };
}

/** The core asks for no write before what was there stands in the journal. */
function previousOf({ entry }: FlagOrder): string {
  if (entry.previous === undefined) throw new Error(`change ${entry.id} was asked for before it was planned`);
  return entry.previous;
}

function notSent({ entry: { flag, source } }: FlagOrder): string {
  return `Flag ${flag} of FlagSource ${source} was not touched: this process no longer holds the Lease.`;
}

function kept({ entry: { flag, source } }: FlagOrder): string {
  return `Flag ${flag} of FlagSource ${source} was changed by somebody else since, and is left as it is now.`;
}

function unanswered({ task, entry: { flag, source } }: FlagOrder, error: unknown): string {
  const tried = task === 'plan' ? 'read' : task === 'apply' ? 'changed' : 'put back';
  const why = error instanceof GivenUp ? `no answer within ${CALL_MS / 1000} s` : 'a fault of Serin, see its log';
  return `Flag ${flag} of FlagSource ${source} could not be ${tried}: ${why}.`;
}
