/**
 * Keeps asking pods for the checks of releases, beside everything else, and remembers what each came to. It decides nothing,
 * and asks nobody any more once a release has left the step.
 */
import type { EffectiveRequest } from '../api/effective.ts';
import { type Clock, untilAborted } from '../kube/clock.ts';
import { presentCheck } from '../release/views.ts';
import type { CheckAnswer, Memory } from '../release/world.ts';
import { controlledPods, type PodLists } from './arms.ts';
import { type PodAddress, type PodPort, podsToAsk, whyNobody } from './check-pods.ts';
import type { Tried } from './check-requests.ts';
import type { LookParts } from './reconcile.ts';
import { Turns } from './turns.ts';

export interface CheckOrder {
  /** Of `checkIdOf`. */
  readonly id: string;
  readonly namespace: string;
  readonly replicaSetUid: string;
  /** Undefined: nothing says which. */
  readonly port: PodPort | undefined;
  readonly requests: readonly EffectiveRequest[];
}

export interface ChecksParts {
  readonly clock: Clock;
  readonly stores: PodLists;
  readonly ask: (
    pods: readonly PodAddress[],
    requests: readonly EffectiveRequest[],
    signal: AbortSignal,
  ) => Promise<Tried>;
  /** Something is known about the check of this Rollout. */
  readonly onAnswer: (rollout: string) => void;
}

/** Between two tries of one check. */
const AGAIN_MS = 5_000;
/** Tries of different releases at the same time; others wait for their turn. */
const MOST_AT_ONCE = 256;

interface Asked {
  readonly id: string;
  readonly stop: AbortController;
  answer: CheckAnswer;
  /** Since when every try ended like the last one, on the clock that never jumps. */
  sinceMs: number;
}

export class Checks {
  readonly #parts: ChecksParts;
  readonly #asked = new Map<string, Asked>();
  readonly #running = new Set<Promise<void>>();
  readonly #turns = new Turns(MOST_AT_ONCE);

  constructor(parts: ChecksParts) {
    this.#parts = parts;
  }

  /** Ends everything that is being asked when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await untilAborted(signal);
    for (const key of this.#asked.keys()) this.forget(key);
    await Promise.all(this.#running);
  }

  of(rollout: string, memory: Memory): CheckAnswer | undefined {
    const asked = this.#asked.get(rollout);
    return asked !== undefined && asked.id === checkIdOf(memory) ? asked.answer : undefined;
  }

  /** Asks until it passes or the release leaves the step. The same order again changes nothing. */
  ask(rollout: string, order: CheckOrder): void {
    if (this.#asked.get(rollout)?.id === order.id) return;
    this.forget(rollout);
    const asked: Asked = { id: order.id, stop: new AbortController(), answer: { kind: 'asked' }, sinceMs: 0 };
    this.#asked.set(rollout, asked);
    const running = this.#keepAsking(rollout, order, asked).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** The judge of a look that lets go of checks too, once a decision has no more use for them. */
  beside(judge: LookParts['judge']): LookParts['judge'] {
    return {
      evidenceOf: (rollout) => judge.evidenceOf(rollout),
      follow: (rollout, seen, decision) => {
        judge.follow(rollout, seen, decision);
        const asked = this.#asked.get(rollout);
        if (asked !== undefined && asked.id !== checkIdOf(decision.memory)) this.forget(rollout);
      },
      forget: (rollout) => {
        judge.forget(rollout);
        this.forget(rollout);
      },
    };
  }

  forget(rollout: string): void {
    this.#asked.get(rollout)?.stop.abort();
    this.#asked.delete(rollout);
  }

  async #keepAsking(rollout: string, order: CheckOrder, asked: Asked): Promise<void> {
    const { clock, onAnswer } = this.#parts;
    const { signal } = asked.stop;
    while (!signal.aborted) {
      const startMs = clock.monotonicMs();
      const tried = await this.#turns.inTurn(() => this.#try(order, signal), signal);
      if (signal.aborted) return;
      this.#note(asked, tried, startMs);
      onAnswer(rollout);
      if (tried?.kind === 'passed') return;
      await clock.sleep(AGAIN_MS, signal);
    }
  }

  /** Undefined: there is no pod that could be asked at the moment. */
  async #try(
    { namespace, replicaSetUid, port, requests }: CheckOrder,
    signal: AbortSignal,
  ): Promise<Tried | undefined> {
    if (port === undefined) return { kind: 'unreachable', sentence: 'the Service has no port for TCP to ask pods on.' };
    const pods = controlledPods(this.#parts.stores, namespace, replicaSetUid);
    const addressed = podsToAsk(pods, port);
    if (addressed.length > 0) return this.#parts.ask(addressed, requests, signal);
    const why = whyNobody(pods, port);
    return why === undefined ? undefined : { kind: 'unreachable', sentence: why };
  }

  #note(asked: Asked, tried: Tried | undefined, startMs: number): void {
    if (tried === undefined || tried.kind === 'passed') {
      asked.answer = tried ?? { kind: 'asked' };
      return;
    }
    if (asked.answer.kind !== tried.kind) asked.sinceMs = startMs;
    asked.answer = { ...tried, forMs: this.#parts.clock.monotonicMs() - asked.sinceMs };
  }
}

/** Which check of which attempt; undefined where none stands. */
export function checkIdOf({ journal: { attempt } }: Memory): string | undefined {
  if (attempt === undefined || presentCheck(attempt) === undefined) return undefined;
  return `${attempt.record}/${attempt.beganAtMs}/${attempt.step}`;
}
