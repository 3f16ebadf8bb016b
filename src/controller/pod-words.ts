/**
 * Fetches what the kubelet says about pods in Events alone: the answer of a failing probe, a volume that cannot be mounted. It
 * is on demand and slow by intent, since an API server looks through all Events of a namespace for each read. Nothing ever
 * waits for it: a read that fails, or is not allowed, is words that are missing (S15).
 */
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { events, type ObjectRef } from '../kube/resources.ts';
import type { Pod, PodEvent } from '../workload/objects.ts';
import { isTelling, plainly } from '../workload/pod-events.ts';
import { isEqual } from './merge-patch.ts';

export interface PodWordsParts {
  readonly clock: Clock;
  readonly client: KubeClient;
  /** Other words than before are known about pods of this Rollout. */
  readonly onChange: (rollout: string) => void;
  /** Told once of each failure, not again while the same one goes on. */
  readonly onError: (error: unknown) => void;
}

/** A pod that is not ready for so long is asked about; most are ready before. */
const LATE_MS = 3_000;
const AGAIN_MS = 15_000;
const AGAIN_AFTER_FAILURE_MS = 60_000;
/** At most one read in this time, whatever goes wrong in the cluster. */
const PACE_MS = 1_000;
/** One pod is enough for a sentence; a second is for the case that the first one ends. */
const PODS_OF_ONE_ROLLOUT = 2;
const TIMEOUT_MS = 5_000;
const EVENTS_OF_ONE_POD = 50;

interface Subject {
  readonly rollout: string;
  readonly pod: ObjectRef;
  readonly uid: string;
  dueMs: number;
  told: readonly PodEvent[];
}

export class PodWords {
  readonly #parts: PodWordsParts;
  readonly #followed = new Map<string, readonly Subject[]>();
  #lastFailure: string | undefined;

  constructor(parts: PodWordsParts) {
    this.#parts = parts;
  }

  /** What is known at this moment, of the pods that are followed. */
  of(rollout: string): readonly PodEvent[] {
    return (this.#followed.get(rollout) ?? []).flatMap(({ told }) => told);
  }

  /** Safe to call at every look. `pods`: those that are not ready and do not say why, most telling first; none ends it. */
  follow(rollout: string, pods: readonly Pod[]): void {
    const before = this.#followed.get(rollout) ?? [];
    const dueMs = this.#parts.clock.monotonicMs() + LATE_MS;
    const subjects = pods.slice(0, PODS_OF_ONE_ROLLOUT).map(({ metadata: { uid, namespace, name } }): Subject => {
      const known = before.find((subject) => subject.uid === uid);
      return known ?? { rollout, pod: { namespace, name }, uid, dueMs, told: [] };
    });
    if (subjects.length === 0) this.#followed.delete(rollout);
    else this.#followed.set(rollout, subjects);
  }

  /** Reads one pod's Events after the other until `signal` aborts, those first that waited longest. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(PACE_MS, signal);
      const due = this.#longestDue();
      if (!signal.aborted && due !== undefined) await this.#read(due, signal);
    }
  }

  #longestDue(): Subject | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    const due = [...this.#followed.values()].flat().filter(({ dueMs }) => dueMs <= nowMs);
    return due.toSorted((a, b) => a.dueMs - b.dueMs)[0];
  }

  async #read(subject: Subject, signal: AbortSignal): Promise<void> {
    const { clock, onChange } = this.#parts;
    try {
      const told = await this.#eventsOf(subject, signal);
      const isNews = !isEqual(told.map(saidIn), subject.told.map(saidIn));
      subject.told = told;
      subject.dueMs = clock.monotonicMs() + AGAIN_MS;
      this.#lastFailure = undefined;
      if (isNews) onChange(subject.rollout);
    } catch (error) {
      if (signal.aborted) return;
      subject.dueMs = clock.monotonicMs() + AGAIN_AFTER_FAILURE_MS;
      this.#fail(error);
    }
  }

  /** One page at most: more Events than that about one pod say nothing new. */
  async #eventsOf({ pod, uid }: Subject, signal: AbortSignal): Promise<readonly PodEvent[]> {
    const fieldSelector = `involvedObject.kind=Pod,involvedObject.uid=${uid},type=Warning`;
    const asked = { namespace: pod.namespace, fieldSelector, pageSize: EVENTS_OF_ONE_POD, timeoutMs: TIMEOUT_MS };
    const first = await this.#parts.client.pages<PodEvent>(events, asked, signal).next();
    return first.done === true ? [] : first.value.items.filter(isTelling).map(kept);
  }

  #fail(error: unknown): void {
    const words = error instanceof Error ? error.message : String(error);
    if (words === this.#lastFailure) return;
    this.#lastFailure = words;
    this.#parts.onError(error);
  }
}

/** Counts and times change with every repetition, and are no news. */
function saidIn({ reason, message = '' }: PodEvent): object {
  return { reason, message: plainly(message) };
}

function kept({ reason, message, lastTimestamp, involvedObject }: PodEvent): PodEvent {
  const { uid, fieldPath } = involvedObject;
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    // `null` in Events of the newer API.
    ...(typeof lastTimestamp === 'string' ? { lastTimestamp } : {}),
    involvedObject: { ...(uid === undefined ? {} : { uid }), ...(fieldPath === undefined ? {} : { fieldPath }) },
  };
}
