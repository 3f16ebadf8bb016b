/** Tells people in Events what happened to a Rollout, and counts the Rollouts in each phase; it decides neither. */
import { API_GROUP, API_VERSION } from '../api/kinds.ts';
import type { Phase } from '../api/reasons.ts';
import type { Metrics } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Note } from '../release/decision.ts';
import { type Log, wordsOf } from './log.ts';
import type { Rollout } from './stores.ts';

export interface AnnouncerParts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'phases' | 'eventsDropped'>;
  /** Which process says what it says. */
  readonly instance: string;
}

export class Announcer {
  readonly #metrics: AnnouncerParts['metrics'];
  readonly #recorder: EventRecorder;
  readonly #phases = new Map<string, Phase>();
  #dropped = 0;

  constructor({ client, clock, log, metrics, instance }: AnnouncerParts) {
    this.#metrics = metrics;
    this.#recorder = new EventRecorder({
      client,
      clock,
      instance,
      onError: (error) => log.warn({ error: wordsOf(error) }, 'An Event could not be written.'),
    });
  }

  /** Returns at once; the Event is written by `run`. */
  readonly say = (rollout: Rollout, { type, reason, message }: Note): void => {
    const { namespace = '', name, uid } = rollout.metadata;
    const about = { apiVersion: `${API_GROUP}/${API_VERSION}`, kind: 'Rollout', namespace, name, uid };
    this.#recorder.record({ about, type, reason, action: reason, note: message });
  };

  /** Undefined: the Rollout is gone. */
  readonly phaseIs = (key: string, phase: Phase | undefined): void => {
    if (this.#phases.get(key) === phase) return;
    if (phase === undefined) this.#phases.delete(key);
    else this.#phases.set(key, phase);
    const counts = new Map<Phase, number>();
    for (const one of this.#phases.values()) counts.set(one, (counts.get(one) ?? 0) + 1);
    this.#metrics.phases(counts);
  };

  run(signal: AbortSignal): Promise<void> {
    return this.#recorder.run(signal);
  }

  /** Brings the count of dropped Events up to date, before a scrape. */
  sample(): void {
    const { dropped } = this.#recorder.counts;
    this.#metrics.eventsDropped(dropped - this.#dropped);
    this.#dropped = dropped;
  }
}
