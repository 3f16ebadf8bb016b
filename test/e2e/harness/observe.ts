/**
 * Watches one namespace as an outsider: every state of the Rollout, every pod that was ever created, and how many ready
 * endpoints stand behind what the route serves. It writes nothing.
 */
import type { KubeClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { deployments, endpointSlices, httpRoutes, pods, replicaSets, services } from '../../../src/kube/resources.ts';
import type { KubeObject, ResourceKind } from '../../../src/kube/resources.ts';
import { Store } from '../../../src/kube/store.ts';
import { rolloutKind } from '../../../src/api/kinds.ts';
import type { RolloutStatus } from '../../../src/api/rollout-status.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../../../src/traffic/objects.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../src/workload/objects.ts';
import { readyBehind } from './served.ts';
import { shopName } from './shop.ts';

export interface Rollout extends KubeObject {
  readonly status?: RolloutStatus;
}

/** What status said, and since when the watch showed it. */
export interface StatusMoment {
  readonly atMs: number;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly verdict: string;
  readonly attempt: number | undefined;
  readonly stage: string;
  /** Index of the step, from 0. */
  readonly step: number;
  /** The weight that is decided: the brake's while it is on. 0 without an attempt. */
  readonly weightPercent: number;
  /** Since when the ladder is climbed that judged harm begins; absent while it is not. */
  readonly ladderSinceMs: number | undefined;
}

export interface PodSeen {
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly createdMs: number;
  restarts: number;
  deletedMs?: number;
}

/** Ready endpoints behind what the route serves, and how many pods were wanted, since a moment. */
export interface ServedMoment {
  readonly atMs: number;
  readonly ready: number;
  readonly replicas: number;
}

export class Watcher {
  readonly history: StatusMoment[] = [];
  readonly podsSeen = new Map<string, PodSeen>();
  readonly served: ServedMoment[] = [];
  readonly #namespace: string;
  readonly #rollouts = new Store<Rollout>();
  readonly #deployments = new Store<Deployment>();
  readonly #replicaSets = new Store<ReplicaSet>();
  readonly #pods = new Store<Pod>();
  readonly #services = new Store<Service>();
  readonly #slices = new Store<EndpointSlice>();
  readonly #routes = new Store<HTTPRoute>();
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #runs: Promise<void>[] = [];

  private constructor(namespace: string) {
    this.#namespace = namespace;
  }

  static async start(client: KubeClient, namespace: string): Promise<Watcher> {
    const watcher = new Watcher(namespace);
    await Promise.all([
      watcher.#follow(client, rolloutKind, watcher.#rollouts, () => watcher.#noteStatus()),
      watcher.#follow(client, deployments, watcher.#deployments, () => watcher.#noteServed()),
      watcher.#follow(client, replicaSets, watcher.#replicaSets),
      watcher.#follow(client, pods, watcher.#pods, () => watcher.#notePods()),
      watcher.#follow(client, services, watcher.#services, () => watcher.#noteServed()),
      watcher.#follow(client, endpointSlices, watcher.#slices, () => watcher.#noteServed()),
      watcher.#follow(client, httpRoutes, watcher.#routes, () => watcher.#noteServed()),
    ]);
    return watcher;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#runs);
  }

  get rollout(): Rollout | undefined {
    return this.#rollouts.get(this.#namespace, shopName);
  }

  get status(): RolloutStatus {
    return this.rollout?.status ?? {};
  }

  get now(): StatusMoment | undefined {
    return this.history.at(-1);
  }

  get deployment(): Deployment | undefined {
    return this.#deployments.get(this.#namespace, shopName);
  }

  get replicaSets(): readonly ReplicaSet[] {
    return this.#replicaSets.all();
  }

  get pods(): readonly Pod[] {
    return this.#pods.all();
  }

  get route(): HTTPRoute | undefined {
    return this.#routes.get(this.#namespace, shopName);
  }

  get services(): readonly Service[] {
    return this.#services.all();
  }

  /** The ReplicaSet whose pods answer with this version. */
  setOf(version: string): ReplicaSet | undefined {
    return this.replicaSets.find((set) => versionOf(set.spec.template.spec) === version);
  }

  /** Calls `listener` after each change of anything; gives the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Waits for `find` to give something; looks at every change. Throws with `picture()` of what was seen instead. */
  async until<T>(what: string, find: () => T | undefined | false, withinMs: number): Promise<T> {
    const found = find();
    if (found !== undefined && found !== false) return found;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = () => {
      try {
        const value = find();
        if (value !== undefined && value !== false) resolve(value);
      } catch (error) {
        reject(error);
      }
    };
    const timers = [
      setInterval(look, 100),
      setTimeout(() => reject(new Error(`waited ${withinMs / 1000} s for ${what}. ${this.picture()}`)), withinMs),
    ];
    const end = this.onChange(look);
    try {
      return await promise;
    } finally {
      end();
      for (const timer of timers) clearTimeout(timer);
    }
  }

  /** What there is to see now, for messages. */
  picture(): string {
    const moments = this.history.slice(-6).map((one) => `  ${describeMoment(one)}`);
    const sets = this.replicaSets.map(describeSet).join(', ');
    const { deployment } = this;
    const state = `paused ${deployment?.spec.paused ?? false}, replicas ${deployment?.spec.replicas}`;
    const backends = JSON.stringify(this.route?.spec.rules?.map((rule) => rule.backendRefs));
    return `Status was:\n${moments.join('\n')}\nDeployment: ${state}; ReplicaSets: ${sets}; route: ${backends}`;
  }

  async #follow<T extends KubeObject>(client: KubeClient, kind: ResourceKind, store: Store<T>, note?: () => void) {
    const reflector = new Reflector<T>({
      client,
      clock: systemClock,
      random: Math.random,
      kind,
      store,
      namespace: this.#namespace,
      project: (object) => object as T,
    });
    store.onChange(() => {
      note?.();
      for (const listener of this.#listeners) listener();
    });
    this.#runs.push(reflector.run(this.#stop.signal));
    await reflector.synced;
  }

  #noteStatus(): void {
    const moment = momentOf(this.status);
    const last = this.history.at(-1);
    if (last === undefined || describeMoment({ ...last, atMs: 0 }) !== describeMoment({ ...moment, atMs: 0 }))
      this.history.push(moment);
  }

  #notePods(): void {
    for (const pod of this.#pods.all()) {
      const { uid, name, creationTimestamp = '' } = pod.metadata;
      const restarts = (pod.status?.containerStatuses ?? []).reduce((sum, one) => sum + (one.restartCount ?? 0), 0);
      const seen = this.podsSeen.get(uid);
      if (seen !== undefined) seen.restarts = restarts;
      else
        this.podsSeen.set(uid, {
          uid,
          name,
          version: versionOf(pod.spec),
          createdMs: Date.parse(creationTimestamp),
          restarts,
        });
    }
    const living = new Set(this.#pods.all().map((pod) => pod.metadata.uid));
    for (const seen of this.podsSeen.values()) if (!living.has(seen.uid)) seen.deletedMs ??= Date.now();
  }

  #noteServed(): void {
    const { route, deployment } = this;
    if (route === undefined || deployment === undefined) return;
    const ready = readyBehind(route, this.#slices.all());
    const replicas = deployment.spec.replicas ?? 1;
    const last = this.served.at(-1);
    if (last?.ready !== ready || last.replicas !== replicas) this.served.push({ atMs: Date.now(), ready, replicas });
  }
}

function momentOf(status: RolloutStatus): StatusMoment {
  const attempt = status.journal?.attempt;
  return {
    atMs: Date.now(),
    phase: status.phase ?? '',
    reason: status.reason ?? '',
    message: status.message ?? '',
    verdict: status.verdict ?? '',
    attempt: attempt?.number,
    stage: attempt?.stage ?? '',
    step: attempt?.step ?? 0,
    weightPercent: attempt?.brake?.weightPercent ?? attempt?.weightPercent ?? 0,
    ladderSinceMs: attempt?.ladder?.sinceMs,
  };
}

export function describeMoment({ atMs, phase, reason, message, stage, step, weightPercent }: StatusMoment): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  return `${time} ${phase}/${reason} [${stage} ${step}, ${weightPercent}%] ${message}`;
}

function describeSet(set: ReplicaSet): string {
  const owner = set.metadata.ownerReferences?.find((one) => one.controller === true)?.kind ?? 'nobody';
  const { replicas } = set.spec;
  return `${set.metadata.name} (${versionOf(set.spec.template.spec)}, ${set.status?.readyReplicas ?? 0}/${replicas}, of ${owner})`;
}

interface WithEnvironment {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** The version that pods of this spec answer with. */
export function versionOf(spec: Pod['spec']): string {
  const [container] = spec.containers as readonly WithEnvironment[];
  return container?.env?.find(({ name }) => name === 'VERSION')?.value ?? '';
}
