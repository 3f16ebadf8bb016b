// Remembers the pods of an attempt, also those that are gone: their last samples still count. It never guesses whose
// pod a name is.
import type { KnownPod, PodRef } from './picture.ts';
import type { Arm } from './presets/preset.ts';
import type { ListedPods } from './subject.ts';

/** How long the samples of a pod that is gone are still asked for: several scrapes. */
const rememberedMs = 180_000;

export class KnownPods {
  readonly #pods = new Map<string, KnownPod & { readonly listedMs: number }>();

  get all(): ReadonlyMap<string, KnownPod> {
    return this.#pods;
  }

  update({ canary, stable }: ListedPods, nowMs: number): void {
    for (const pod of this.#pods.values()) this.#pods.set(pod.name, { ...pod, isLive: false });
    for (const pod of stable) this.#list(pod, 'stable', nowMs);
    for (const pod of canary) this.#list(pod, 'canary', nowMs);
    for (const { name, listedMs } of this.#pods.values()) {
      if (listedMs < nowMs - rememberedMs) this.#pods.delete(name);
    }
  }

  #list({ name, startedAtMs }: PodRef, arm: Arm, nowMs: number): void {
    this.#pods.set(name, { name, startedAtMs, arm, isLive: true, listedMs: nowMs });
  }
}
