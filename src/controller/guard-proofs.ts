/**
 * Remembers for each namespace whether the admission guard was seen to work, and owns when it is tried again: at once
 * where the core asks and nothing is known or the news is old, else at most once a minute in all (S9).
 */
import type { Clock } from '../kube/clock.ts';
import type { ObjectRef } from '../kube/resources.ts';

export type Proof = 'proven' | 'absent' | 'unknown';

export interface GuardProofsOptions {
  readonly clock: Clock;
  /** A dry run of a template change on this Deployment. Throws when the API server could not answer. */
  readonly probe: (deployment: ObjectRef, signal?: AbortSignal) => Promise<'proven' | 'absent'>;
  /** Deployments that are attached now: the guard can be tried on them. */
  readonly attached: () => readonly ObjectRef[];
  /** The answer for a namespace changed. */
  readonly onChange: (namespace: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Between two proofs when nothing asks for one. */
const TURN_MS = 60_000;
/** Between the first proofs of namespaces, after a start. */
const FIRST_TURN_MS = 1_000;
/** A core that asks again and again gets the answer of a moment ago. */
const FRESH_MS = 5_000;

interface Trial {
  readonly proof: Proof;
  readonly triedAtMs: number;
}

export class GuardProofs {
  readonly #options: GuardProofsOptions;
  readonly #proofs = new Map<string, Trial>();

  constructor(options: GuardProofsOptions) {
    this.#options = options;
  }

  of(namespace: string): Proof {
    return this.#proofs.get(namespace)?.proof ?? 'unknown';
  }

  /** Tries it now, unless it was tried a moment ago. Throws when the API server could not answer. */
  async prove(deployment: ObjectRef, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const namespace = deployment.namespace ?? '';
    const before = this.#proofs.get(namespace);
    if (before !== undefined && before.proof !== 'unknown' && clock.monotonicMs() - before.triedAtMs < FRESH_MS) return;
    this.#proofs.set(namespace, { proof: before?.proof ?? 'unknown', triedAtMs: clock.monotonicMs() });
    const proof = await this.#options.probe(deployment, signal);
    this.#proofs.set(namespace, { proof, triedAtMs: clock.monotonicMs() });
    if (proof !== before?.proof) this.#options.onChange(namespace);
  }

  /**
   * Tries the namespaces in turn until `signal` aborts; those that were never tried come first and quickly. One that
   * could not be answered waits for its next turn like all others (S15).
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#longestUntried();
      const isFirst = next !== undefined && !this.#proofs.has(next.namespace ?? '');
      await this.#options.clock.sleep(isFirst ? FIRST_TURN_MS : TURN_MS, signal);
      const due = this.#longestUntried();
      if (!signal.aborted && due !== undefined) await this.#try(due, signal);
    }
  }

  async #try(deployment: ObjectRef, signal: AbortSignal): Promise<void> {
    try {
      await this.prove(deployment, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error);
    }
  }

  #longestUntried(): ObjectRef | undefined {
    return this.#options.attached().toSorted((a, b) => this.#triedAtMs(a) - this.#triedAtMs(b))[0];
  }

  #triedAtMs({ namespace = '' }: ObjectRef): number {
    return this.#proofs.get(namespace)?.triedAtMs ?? Number.NEGATIVE_INFINITY;
  }
}
