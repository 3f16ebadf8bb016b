/** Remembers what dry runs of a canary said about each Deployment; a refusal is forgotten after a while, so that it can heal. */
import type { Clock } from '../kube/clock.ts';

export interface Rehearsal {
  readonly refused?: string;
}

/** A refusal is asked about again after this long. */
export const REFUSAL_KEPT_MS = 60_000;

export class Rehearsals {
  readonly #clock: Clock;
  readonly #results = new Map<string, { readonly result: Rehearsal; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was said about the Deployment with this UID; undefined when it was not asked, or is to be asked again. */
  of(deploymentUid: string): Rehearsal | undefined {
    const held = this.#results.get(deploymentUid);
    if (held === undefined) return undefined;
    const isOver = held.result.refused !== undefined && this.#clock.monotonicMs() - held.atMs >= REFUSAL_KEPT_MS;
    if (isOver) this.#results.delete(deploymentUid);
    return isOver ? undefined : held.result;
  }

  note(deploymentUid: string, result: Rehearsal): void {
    this.#results.set(deploymentUid, { result, atMs: this.#clock.monotonicMs() });
  }

  forget(deploymentUid: string): void {
    this.#results.delete(deploymentUid);
  }
}
