// Counts restarts of containers per second that pods run, for both versions, from what Kubernetes says of the pods. It asks no
// metric source and knows nothing of evidence.
import type { Answer } from '../analysis/answer.ts';
import type { Window } from '../analysis/engine.ts';
import { type Counts, addCounts, noCounts } from '../analysis/errors.ts';
import { restartsName } from '../analysis/metric.ts';
import type { EngineFacts } from './answers.ts';
import { digest } from './picture.ts';
import { pack, pairs, unpack } from './saved-numbers.ts';

/** A pod of which a container has run, and that is not on its way out. */
export interface PodRestarts {
  readonly name: string;
  /** When its containers first ran, milliseconds since the epoch; it does not move with a restart. */
  readonly startedAtMs: number;
  /** Of all containers that serve, since the pod exists. */
  readonly restarts: number;
  /** One of them was ended because it used more memory than it may. */
  readonly isOutOfMemory: boolean;
}

export interface ListedRestarts {
  readonly canary: readonly PodRestarts[];
  readonly stable: readonly PodRestarts[];
}

/** Plain JSON. */
export interface SavedRestarts {
  readonly cutMs: number;
  readonly counted: string;
  readonly groups: string;
  readonly outOfMemory?: true;
}

interface Ledger {
  /** Everything up to here is counted. */
  readonly cutMs: number;
  /** Since when pods are seen that are older than the attempt. */
  readonly seenMs: number;
  /** How many restarts of a pod are counted, where there are any. */
  readonly counted: ReadonlyMap<number, number>;
  /** To which of at most four groups each pod of the canary belongs. */
  readonly groups: ReadonlyMap<number, number>;
  readonly isOutOfMemory: boolean;
}

const windowMs = 15_000;
const soonMs = 1_000;
const mostGroups = 4;
const mostRemembered = 200;

export class RestartReader implements EngineFacts {
  readonly name = restartsName;
  readonly example = 'restarts of pods';
  readonly hasStable = true;
  readonly hasLatency = false;
  readonly hasAnswered = true;
  readonly failing = undefined;
  readonly oddity = undefined;
  readonly windowMs = windowMs;
  /** When to count next, on the operator's clock. */
  dueMs = 0;
  readonly #beganAtMs: number;
  #ledger: Ledger | undefined;

  /** `saved`: only where the evidence that it belongs to goes on. */
  constructor(beganAtMs: number, saved?: unknown) {
    this.#beganAtMs = beganAtMs;
    const ledger = ledgerIn(saved);
    this.#ledger = ledger && ledger.cutMs >= beganAtMs ? ledger : undefined;
  }

  /** Undefined before anything was seen. */
  get saved(): SavedRestarts | undefined {
    if (!this.#ledger) return undefined;
    const { cutMs, counted, groups, isOutOfMemory } = this.#ledger;
    return {
      cutMs,
      counted: pack([...counted].flat()),
      groups: pack([...groups].flat()),
      ...(isOutOfMemory ? { outOfMemory: true } : {}),
    };
  }

  get lastCutMs(): number | undefined {
    return this.#ledger?.cutMs;
  }

  /**
   * The first look: restarts of pods that are older than the attempt are not the attempt's. Later looks change nothing, until
   * there is a judge to count for.
   */
  see({ canary, stable }: ListedRestarts, nowMs: number): void {
    this.dueMs = nowMs + soonMs;
    if (this.#ledger) return;
    const older = [...canary, ...stable].filter(({ startedAtMs }) => startedAtMs < this.#beganAtMs);
    this.#ledger = {
      cutMs: this.#beganAtMs,
      seenMs: nowMs,
      counted: new Map(older.filter(({ restarts }) => restarts > 0).map((pod) => [digest(pod.name), pod.restarts])),
      groups: new Map(),
      isOutOfMemory: false,
    };
  }

  /** Everything since the last cut; undefined while no time has passed. */
  cut(pods: ListedRestarts, nowMs: number): Window | undefined {
    this.see(pods, nowMs);
    const before = this.#ledger;
    if (!before || nowMs <= before.cutMs) return undefined;
    this.dueMs = nowMs + windowMs;
    const groups = new Map(before.groups);
    for (const { name } of pods.canary)
      if (!groups.has(digest(name))) groups.set(digest(name), groups.size % mostGroups);
    const canaryGroups: Counts[] = Array.from({ length: Math.min(groups.size, mostGroups) }, () => noCounts);
    const counted = new Map(before.counted);
    const sumOf = (arm: readonly PodRestarts[]): Counts =>
      arm.reduce((sum, pod) => {
        const grown = this.#grown(pod, before, nowMs);
        const group = arm === pods.canary ? groups.get(digest(pod.name)) : undefined;
        if (group !== undefined) canaryGroups[group] = addCounts(canaryGroups[group] ?? noCounts, grown);
        if (pod.restarts > 0) counted.set(digest(pod.name), pod.restarts);
        return addCounts(sum, grown);
      }, noCounts);
    const arms = { canary: sumOf(pods.canary), stable: sumOf(pods.stable) };
    const isOutOfMemory = before.isOutOfMemory || pods.canary.some((pod) => pod.isOutOfMemory && pod.restarts > 0);
    this.#ledger = { ...before, cutMs: nowMs, counted: ofListed(counted, pods), groups, isOutOfMemory };
    return { ...arms, startMs: before.cutMs, endMs: nowMs, lengthMs: nowMs - before.cutMs, canaryGroups };
  }

  /** What else is known when restarts are held against the version. */
  addTo(answer: Answer): Answer {
    if (answer.kind !== 'judged' || answer.culprit !== restartsName || this.#ledger?.isOutOfMemory !== true)
      return answer;
    return { ...answer, sentence: `${answer.sentence} Among them containers that ran out of memory (OOMKilled).` };
  }

  /** Seconds that a pod ran since the last cut, and its restarts since then. */
  #grown({ name, startedAtMs, restarts }: PodRestarts, { cutMs, seenMs, counted }: Ledger, nowMs: number): Counts {
    const sinceMs = Math.max(cutMs, startedAtMs, startedAtMs < this.#beganAtMs ? seenMs : 0);
    return {
      requests: Math.max(0, nowMs - sinceMs) / 1000,
      errors: Math.max(0, restarts - (counted.get(digest(name)) ?? 0)),
    };
  }
}

/** A pod that is missing for a moment must not be counted anew; only when there are many are those forgotten that are gone. */
function ofListed(
  counted: ReadonlyMap<number, number>,
  { canary, stable }: ListedRestarts,
): ReadonlyMap<number, number> {
  if (counted.size <= mostRemembered) return counted;
  const listed = new Set([...canary, ...stable].map(({ name }) => digest(name)));
  return new Map([...counted].filter(([key]) => listed.has(key)));
}

/** Undefined when it cannot be read: then nothing that happened before is counted. */
function ledgerIn(saved: unknown): Ledger | undefined {
  const { cutMs, counted, groups, outOfMemory } = (saved ?? {}) as Partial<SavedRestarts>;
  if (typeof cutMs !== 'number' || typeof counted !== 'string' || typeof groups !== 'string') return undefined;
  try {
    return {
      cutMs,
      seenMs: cutMs,
      counted: new Map(pairs(unpack(counted))),
      groups: new Map(pairs(unpack(groups))),
      isOutOfMemory: outOfMemory === true,
    };
  } catch {
    return undefined;
  }
}
