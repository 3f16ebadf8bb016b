/**
 * Wires the control loop over any transport, clock and random source: stores, judge, queue and the look at each key. It
 * decides nothing; what wires it decides when this process may write.
 */
import { type Dispatcher, getGlobalDispatcher } from 'undici';
import { API_GROUP, API_VERSION } from '../api/kinds.ts';
import type { Phase } from '../api/reasons.ts';
import type { Metrics, PollResult } from '../insight/metrics.ts';
import { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { EventRecorder } from '../kube/events.ts';
import { KeyQueue } from '../kube/queue.ts';
import { keyOf, type KubeObject, type ObjectRef } from '../kube/resources.ts';
import type { Change, Store } from '../kube/store.ts';
import type { Transport } from '../kube/transport.ts';
import { decide } from '../release/decide.ts';
import type { Note } from '../release/decision.ts';
import { Collector } from '../signals/collector.ts';
import { ConvergenceWatch } from '../traffic/convergence.ts';
import { proveGuard } from '../workload/guard.ts';
import { ATTACHED_LABEL } from '../workload/marks.ts';
import type { Deployment } from '../workload/objects.ts';
import { act } from './act.ts';
import { affectedBy } from './affected.ts';
import { guardAs, type GuardMode } from './guard-mode.ts';
import { GuardProofs } from './guard-proofs.ts';
import { Judging } from './judging.ts';
import type { Log } from './log.ts';
import { metricSourceOf } from './metric-sources.ts';
import { Observer } from './observe.ts';
import { Looker } from './reconcile.ts';
import { Rehearsals } from './rehearsals.ts';
import { StatusWriter } from './status-writer.ts';
import { countingPolls } from './source-polls.ts';
import {
  createStores,
  isWatched,
  kindsWatched,
  type MetricSource,
  type Mirror,
  mirrorsOf,
  type Rollout,
  type Stores,
  storedIn,
  targetKeyOf,
  type Watched,
} from './stores.ts';
import { Supervisor } from './supervisor.ts';
import { UnseenWrites } from './unseen-writes.ts';
import { priorityOfChange } from './urgency.ts';
import { type Purpose, watchedWrites } from './watched-writes.ts';

export interface LoopOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Which process says what it says, in Events. */
  readonly instance: string;
  /** True while this process holds the Lease. */
  readonly mayWrite: () => boolean;
  /** Only this namespace. */
  readonly namespace?: string;
  /** What holds new templates. Default `auto`. */
  readonly guard?: GuardMode;
  /** Rollouts looked at at once, besides urgent ones. Default 4. */
  readonly workers?: number;
  /** How metric sources are reached; default: directly. */
  readonly sources?: Dispatcher;
}

/** After an outage of the API server a rollback goes on this soon. */
const LONGEST_BACKOFF_MS = 10_000;

export class ControlLoop {
  readonly stores: Stores;
  readonly mirrors: readonly Mirror[];
  readonly supervisor = new Supervisor();
  readonly #options: LoopOptions;
  readonly #client: KubeClient;
  readonly #queue: KeyQueue;
  readonly #recorder: EventRecorder;
  readonly #proofs: GuardProofs;
  readonly #rehearsals: Rehearsals;
  readonly #convergence: ConvergenceWatch;
  readonly #collector: Collector;
  readonly #judging: Judging;
  readonly #unseen: UnseenWrites;
  readonly #phases = new Map<string, Phase>();
  #eventsDropped = 0;

  constructor(options: LoopOptions) {
    const { clock, random, log, transport } = options;
    this.#options = options;
    this.#client = new KubeClient({ transport });
    this.stores = createStores((error, key) =>
      log.error({ object: key, error: wordsOf(error) }, 'A listener failed on an object; the others go on.'),
    );
    this.mirrors = mirrorsOf(this.stores, {
      client: this.#client,
      clock,
      random,
      ...inNamespace(options),
      onError: this.#onWatchError,
    });
    this.#unseen = new UnseenWrites({
      clock,
      stored: (resource, ref) => storedIn(this.stores, resource, ref),
      live: this.#live,
    });
    this.#recorder = new EventRecorder({
      client: this.#client,
      clock,
      instance: options.instance,
      onError: (error) => log.warn({ error: wordsOf(error) }, 'An Event could not be written.'),
    });
    this.#rehearsals = new Rehearsals(clock);
    this.#convergence = new ConvergenceWatch(clock);
    this.#proofs = this.#guardProofs();
    this.#collector = new Collector({
      clock,
      random,
      dispatcher: countingPolls(options.sources ?? getGlobalDispatcher(), this.#onPoll),
      onChange: (attempt) => this.#wake(this.#judging.rolloutOf(attempt)),
    });
    this.#judging = new Judging({
      collector: this.#collector,
      stores: this.stores,
      sourceOf: (name) => metricSourceOf(this.stores.metricsources.all(), name),
      nowMs: () => clock.nowMs(),
    });
    this.#queue = this.#keyQueue(this.#looker());
    this.#listen();
  }

  /** Keeps the stores equal to the cluster until `signal` aborts; a follower does this too, so that it can take over warm. */
  mirror(signal: AbortSignal): Promise<void> {
    const loops = this.mirrors.map(({ resource, reflector }) => ({
      name: `watch of ${resource}`,
      run: (inner: AbortSignal) => reflector.run(inner),
    }));
    return this.supervisor.run(loops, signal);
  }

  /** True when every store was filled; false when `signal` aborted before. */
  async synced(): Promise<boolean> {
    const all = await Promise.all(this.mirrors.map(({ reflector }) => reflector.synced));
    return all.every(Boolean);
  }

  /** Looks, decides and acts until `signal` aborts. To be called once, and only while this process holds the Lease. */
  async lead(signal: AbortSignal): Promise<void> {
    if (!(await this.synced())) return;
    for (const rollout of this.stores.rollouts.all()) this.#queue.add(keyOf(rollout.metadata));
    const loops = [
      { name: 'queue', run: (inner: AbortSignal) => this.#queue.run(inner) },
      { name: 'events', run: (inner: AbortSignal) => this.#recorder.run(inner) },
      { name: 'collector', run: (inner: AbortSignal) => this.#collector.run(inner) },
      { name: 'guard proofs', run: (inner: AbortSignal) => this.#proofs.run(inner) },
    ];
    await this.supervisor.run(loops, signal);
  }

  /** Brings figures that are read and not counted up to date, before a scrape. */
  sample(): void {
    const { metrics } = this.#options;
    const { ready, waiting } = this.#queue.counts;
    metrics.queueDepth(ready.urgent + ready.normal + ready.resync);
    metrics.queueWaiting(waiting);
    const { dropped } = this.#recorder.counts;
    metrics.eventsDropped(dropped - this.#eventsDropped);
    this.#eventsDropped = dropped;
  }

  #looker(): Looker {
    const { clock, metrics } = this.#options;
    const observer = new Observer(this.stores, {
      guardOf: (namespace) => guardAs(this.#options.guard ?? 'auto', this.#proofs.of(namespace)),
      rehearsalOf: (uid) => this.#rehearsals.of(uid),
      answerOf: (key, memory, spec) => this.#judging.answerOf(key, memory, spec),
      convergence: this.#convergence,
    });
    const acting = {
      clock,
      metrics,
      clientFor: this.#clientFor,
      proveGuard: this.#prove,
      noteRehearsal: this.#noteRehearsal,
    };
    return new Looker({
      clock,
      metrics,
      rollout: (key) => this.stores.rollouts.get(...splitKey(key)),
      observe: (rollout) => observer.observe(rollout),
      decide,
      act: (seen, decision, signal) => act(acting, seen, decision, signal),
      judge: this.#judging,
      clientFor: this.#clientFor,
      status: new StatusWriter(clock),
      unseen: this.#unseen,
      say: this.#say,
      add: (key, options) => this.#queue.add(key, options),
      onPhase: this.#onPhase,
    });
  }

  #keyQueue(looker: Looker): KeyQueue {
    const { clock, log, workers } = this.#options;
    return new KeyQueue({
      clock,
      handler: (key, signal) => looker.look(key, signal),
      onError: (key, error, failures, retryInMs) => {
        const fields = { rollout: key, failures, retryInMs: Math.round(retryInMs), error: wordsOf(error) };
        // Somebody wrote at the same time: ordinary, and the next look sees it.
        if (isKubeError(error, 'Conflict')) log.debug(fields, 'Looking again, the object changed.');
        else log.warn({ ...fields, ...stackOf(error) }, 'A look failed and is repeated.');
      },
      longestBackoffMs: LONGEST_BACKOFF_MS,
      ...(workers === undefined ? {} : { workers }),
    });
  }

  #guardProofs(): GuardProofs {
    const { clock, log } = this.#options;
    return new GuardProofs({
      clock,
      probe: async (ref, signal) => {
        const deployment = this.stores.deployments.get(ref.namespace, ref.name);
        return deployment === undefined ? 'absent' : proveGuard(this.#client, deployment, signal);
      },
      attached: () => this.#attachedDeployments(),
      onChange: (namespace) => {
        log.info({ namespace, guard: this.#proofs.of(namespace) }, 'The admission guard was tried.');
        for (const rollout of this.stores.rollouts.list('namespace', namespace))
          this.#queue.add(keyOf(rollout.metadata));
      },
      onError: (error) => log.warn({ error: wordsOf(error) }, 'The admission guard could not be tried.'),
    });
  }

  #attachedDeployments(): readonly ObjectRef[] {
    return this.stores.rollouts
      .all()
      .map((rollout) => this.stores.deployments.get(...splitKey(targetKeyOf(rollout) ?? '')))
      .filter((deployment) => deployment?.metadata.labels?.[ATTACHED_LABEL] === 'true')
      .map((deployment) => ({ namespace: deployment?.metadata.namespace, name: deployment?.metadata.name ?? '' }));
  }

  #listen(): void {
    for (const resource of Object.keys(kindsWatched) as Watched[]) {
      const store = this.stores[resource] as unknown as Store<KubeObject>;
      store.onChange((change) => this.#onChange(resource, change));
    }
  }

  #onChange(resource: Watched, change: Change<KubeObject>): void {
    if (change.kind === 'deleted' && resource === 'httproutes') this.#convergence.forget(change.object.metadata.uid);
    if (change.kind === 'deleted' && resource === 'deployments') this.#rehearsals.forget(change.object.metadata.uid);
    for (const key of affectedBy(this.stores, resource, change))
      this.#queue.add(key, { priority: priorityOfChange(resource, this.stores.rollouts.get(...splitKey(key))) });
  }

  #wake(key: string | undefined): void {
    if (key !== undefined) this.#queue.add(key, { priority: 'urgent' });
  }

  readonly #clientFor = (purpose: Purpose): KubeClient => {
    const { transport, log, mayWrite, metrics } = this.#options;
    const parts = { transport, unseen: this.#unseen, log, mayWrite, onConflict: () => metrics.writeConflict() };
    return new KubeClient({ transport: watchedWrites(parts, purpose) });
  };

  readonly #live = (resource: string, ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject> => {
    if (!isWatched(resource)) throw new Error(`${resource} are not watched`);
    return this.#client.get(kindsWatched[resource], ref, {}, signal);
  };

  readonly #prove = (deployment: Deployment, signal: AbortSignal): Promise<void> =>
    this.#proofs.prove(deployment.metadata, signal);

  readonly #noteRehearsal = (key: string, deploymentUid: string, result: { readonly refused?: string }): void => {
    this.#rehearsals.note(deploymentUid, result);
    this.#queue.add(key);
  };

  readonly #say = (rollout: Rollout, { type, reason, message }: Note): void => {
    const { namespace = '', name, uid } = rollout.metadata;
    const about = { apiVersion: `${API_GROUP}/${API_VERSION}`, kind: 'Rollout', namespace, name, uid };
    this.#recorder.record({ about, type, reason, action: reason, note: message });
  };

  readonly #onPhase = (key: string, phase: Phase | undefined): void => {
    if (this.#phases.get(key) === phase) return;
    if (phase === undefined) this.#phases.delete(key);
    else this.#phases.set(key, phase);
    const counts = new Map<Phase, number>();
    for (const one of this.#phases.values()) counts.set(one, (counts.get(one) ?? 0) + 1);
    this.#options.metrics.phases(counts);
  };

  readonly #onPoll = (origin: string, result: PollResult): void => {
    const isAt = ({ spec }: MetricSource) =>
      spec !== undefined && URL.parse(spec.prometheus.address)?.origin === origin;
    const source = this.stores.metricsources.all().find(isAt);
    this.#options.metrics.judgePolled(source?.metadata.name ?? 'unknown', result);
  };

  readonly #onWatchError = (resource: Watched, error: unknown): void => {
    const { metrics, log } = this.#options;
    metrics.watchRestarted(resource);
    log.warn({ resource, error: wordsOf(error) }, 'A watch was interrupted and is opened again.');
  };
}

function inNamespace({ namespace }: LoopOptions): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function splitKey(key: string): [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/** Of surprises only: what an API server refused says enough in its message. */
function stackOf(error: unknown): { readonly stack?: string } {
  return error instanceof Error && !isKubeError(error) && error.stack !== undefined
    ? { stack: error.stack.slice(0, 4000) }
    : {};
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
