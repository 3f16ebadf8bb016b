/**
 * What is known while one list of effects is carried out: the objects that were decided on, and what earlier effects of
 * the list left of them, by which later ones are guarded. It writes nothing.
 */
import type { Attempt } from '../api/rollout-status.ts';
import type { Metrics } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { KubeError } from '../kube/errors.ts';
import { keyOf } from '../kube/resources.ts';
import type { Decision, Effect } from '../release/decision.ts';
import type { Service } from '../traffic/objects.ts';
import type { Anchor, Made } from '../workload/made.ts';
import type { Deployment, ReleaseRecord, ReplicaSet } from '../workload/objects.ts';
import type { Seen } from './observe.ts';
import type { Flags } from './flags.ts';
import type { CheckOrder } from './checks.ts';
import type { Rehearsal } from './rehearsals.ts';
import type { Rollout } from './stores.ts';
import type { Purpose } from './watched-writes.ts';

export interface ActParts {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'effectFailed' | 'releaseEnded'>;
  /** A client whose writes are watched, for this Rollout and reason. */
  readonly clientFor: (purpose: Purpose) => KubeClient;
  readonly proveGuard: (deployment: Deployment, signal: AbortSignal) => Promise<void>;
  readonly noteRehearsal: (rollout: string, deploymentUid: string, result: Rehearsal) => void;
  /** Begins to ask, and returns at once. */
  readonly check: (rollout: string, order: CheckOrder) => void;
  /** Begins or ends changes of flags, and returns at once. */
  readonly flags: Pick<Flags, 'ask' | 'drop'>;
}

/** The effects of these kinds. */
export type Of<K extends Effect['kind']> = Extract<Effect, { readonly kind: K }>;

export class Hand {
  readonly parts: ActParts;
  readonly seen: Seen;
  readonly decision: Decision;
  readonly key: string;
  rollout: Rollout;
  /** The record that this list made; the stores do not show it yet. */
  newRecord: ReleaseRecord | undefined;
  #deployment: Deployment | undefined;

  constructor(parts: ActParts, seen: Seen, decision: Decision) {
    this.parts = parts;
    this.seen = seen;
    this.decision = decision;
    this.key = keyOf(seen.rollout.metadata);
    this.rollout = seen.rollout;
    this.#deployment = seen.deployment;
  }

  get deployment(): Deployment {
    return present(this.#deployment, `Deployment ${this.seen.spec.target.name}`);
  }

  set deployment(written: Deployment) {
    this.#deployment = written;
  }

  get attempt(): Attempt {
    return present(this.decision.memory.journal.attempt, `the attempt of Rollout ${this.key}`);
  }

  replicaSet({ uid, name }: { readonly uid: string; readonly name: string }): ReplicaSet {
    const found = this.seen.replicaSets.find(({ metadata }) => metadata.uid === uid);
    return present(found, `ReplicaSet ${name}`);
  }

  service(name: string): Service {
    const found = this.seen.services.find(({ metadata }) => metadata.name === name);
    return present(found, `Service ${name}`);
  }

  record(name: string): Anchor {
    const found = [this.newRecord, ...this.seen.records].find((record) => record?.metadata.name === name);
    return { name, uid: present(found, `ReleaseRecord ${name}`).metadata.uid };
  }
}

export function present<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw outdated(`${what} is not there any more`);
  return found;
}

/** The decision is older than the world: it is taken again on what is there now. */
export function outdated(why: string): KubeError {
  return new KubeError(`${why}; Serin looks again`, { code: 'Conflict', retry: 'now' });
}

/** The object; what stands in its way becomes the error that people are told. */
export function made<T>(outcome: Made<T>): T {
  switch (outcome.kind) {
    case 'made':
      return outcome.object;
    case 'nameTaken':
      throw new KubeError(outcome.message, { code: 'AlreadyExists', retry: 'backoff' });
    case 'otherRevision':
      throw new KubeError(outcome.message, { code: 'Conflict', retry: 'now' });
    default:
      return outcome satisfies never;
  }
}
