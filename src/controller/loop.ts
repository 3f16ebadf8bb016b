/**
 * Wires the control loop over any transport, clock and random source: stores, judge, queue and the look at each key. It
 * decides nothing; what wires it decides when this process may write.
 */
import { KubeClient } from '../kube/client.ts';
import type { KeyQueue } from '../kube/queue.ts';
import { keyOf } from '../kube/resources.ts';
import { decide } from '../release/decide.ts';
import { ConvergenceWatch } from '../traffic/convergence.ts';
import { act } from './act.ts';
import { Announcer } from './announcer.ts';
import { askPods } from './check-requests.ts';
import { Checks } from './checks.ts';
import { type FlagWork, flagWorkOf } from './flag-work.ts';
import { GuardTrials } from './guard-trials.ts';
import type { ActParts } from './hand.ts';
import { type Judgement, judgementOf } from './judgement.ts';
import { wordsOf } from './log.ts';
import { lookQueue } from './look-queue.ts';
import type { LoopOptions } from './loop-options.ts';
import { Observer } from './observe.ts';
import { OwnWrites } from './own-writes.ts';
import { PodWords } from './pod-words.ts';
import { Looker } from './reconcile.ts';
import { Rehearsals } from './rehearsals.ts';
import { StatusWriter } from './status-writer.ts';
import { createStores, type Mirror, mirrorsOf, type Stores, type Watched } from './stores.ts';
import { Supervisor } from './supervisor.ts';
import { rolloutOf, wakeNamespace, wakeOnChanges } from './wake-ups.ts';

export class ControlLoop {
  readonly stores: Stores;
  readonly mirrors: readonly Mirror[];
  readonly supervisor = new Supervisor();
  readonly #options: LoopOptions;
  readonly #queue: KeyQueue;
  readonly #announcer: Announcer;
  readonly #guards: GuardTrials;
  readonly #rehearsals: Rehearsals;
  readonly #convergence: ConvergenceWatch;
  readonly #judgement: Judgement;
  readonly #checks: Checks;
  readonly #flagWork: FlagWork;
  readonly #podWords: PodWords;
  readonly #writes: OwnWrites;

  constructor(options: LoopOptions) {
    const { clock, random, log, metrics, transport, instance, namespace, guard: mode = 'auto', workers } = options;
    this.#options = options;
    const client = new KubeClient({ transport });
    const stores = createStores((error, key) =>
      log.error({ object: key, error: wordsOf(error) }, 'A listener failed on an object; the others go on.'),
    );
    this.stores = stores;
    const where = namespace === undefined ? {} : { namespace };
    this.mirrors = mirrorsOf(stores, { client, clock, random, ...where, onError: this.#onWatchError });
    this.#writes = new OwnWrites(options, stores);
    this.#announcer = new Announcer({ client, clock, log, metrics, instance });
    this.#rehearsals = new Rehearsals(clock);
    this.#convergence = new ConvergenceWatch(clock);
    this.#guards = new GuardTrials({
      clock,
      client,
      log,
      stores,
      mode,
      onChange: (changed) => wakeNamespace({ stores, queue: this.#queue }, changed),
    });
    const onChange = (rollout: string): void => this.#queue.add(rollout, { priority: 'urgent' });
    this.#judgement = judgementOf({
      clock,
      random,
      stores,
      metrics,
      client,
      ownNamespace: options.ownNamespace,
      sources: options.sources,
      onChange,
      onAccess: () => this.#lookAtAll(),
    });
    this.#checks = new Checks({
      clock,
      stores,
      ask: (pods, requests, asking) => askPods({ clock }, pods, requests, asking),
      onAnswer: (rollout) => this.#queue.add(rollout),
    });
    this.#flagWork = flagWorkOf({
      clock,
      random,
      log,
      metrics,
      stores,
      client,
      clientFor: this.#writes.clientFor,
      mayWrite: options.mayWrite,
      ownNamespace: options.ownNamespace,
      onAnswer: onChange,
      onWrite: options.onFlagWrite,
    });
    this.#podWords = new PodWords({
      clock,
      client,
      onChange: (rollout) => this.#queue.add(rollout),
      onError: this.#onWordless,
    });
    const looker = this.#looker();
    this.#queue = lookQueue({ clock, log, workers, look: (key, signal) => looker.look(key, signal) });
    wakeOnChanges({ stores, queue: this.#queue, onGone: this.#onGone });
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
    this.#lookAtAll();
    const loops = [
      { name: 'queue', run: (inner: AbortSignal) => this.#queue.run(inner) },
      { name: 'events', run: (inner: AbortSignal) => this.#announcer.run(inner) },
      { name: 'collector', run: (inner: AbortSignal) => this.#judgement.run(inner) },
      { name: 'checks', run: (inner: AbortSignal) => this.#checks.run(inner) },
      { name: 'flags', run: (inner: AbortSignal) => this.#flagWork.run(inner) },
      { name: 'words of pods', run: (inner: AbortSignal) => this.#podWords.run(inner) },
      ...this.#guards.loops,
    ];
    await this.supervisor.run(loops, signal);
  }

  /** Brings figures that are read and not counted up to date, before a scrape. */
  sample(): void {
    const { metrics } = this.#options;
    const { ready, waiting } = this.#queue.counts;
    metrics.queueDepth(ready.urgent + ready.normal + ready.resync);
    metrics.queueWaiting(waiting);
    this.#announcer.sample();
  }

  #lookAtAll(): void {
    for (const rollout of this.stores.rollouts.all()) this.#queue.add(keyOf(rollout.metadata));
  }

  #looker(): Looker {
    const { clock, metrics } = this.#options;
    const { judging } = this.#judgement;
    const { unseen, clientFor } = this.#writes;
    const observer = new Observer(this.stores, {
      guardOf: (namespace) => this.#guards.of(namespace),
      rehearsalOf: (uid) => this.#rehearsals.of(uid),
      answerOf: (key, memory, spec) => judging.answerOf(key, memory, spec),
      alertsOf: (key) => judging.alertsOf(key),
      checkOf: (key, memory) => this.#checks.of(key, memory),
      flagsOf: (key) => this.#flagWork.flags.of(key),
      eventsOf: (key) => this.#podWords.of(key),
      convergence: this.#convergence,
    });
    const acting: ActParts = {
      clock,
      metrics,
      clientFor,
      proveGuard: (deployment, signal) => this.#guards.prove(deployment, signal),
      noteRehearsal: this.#noteRehearsal,
      check: (key, order) => this.#checks.ask(key, order),
      flags: this.#flagWork.flags,
    };
    return new Looker({
      clock,
      metrics,
      rollout: (key) => rolloutOf(this.stores, key),
      observe: (rollout) => observer.observe(rollout),
      decide,
      act: (seen, decision, signal) => act(acting, seen, decision, signal),
      judge: this.#checks.beside(judging),
      clientFor,
      status: new StatusWriter(clock),
      unseen,
      say: this.#announcer.say,
      forgetFlags: (key) => this.#flagWork.flags.forget(key),
      askPods: (key, pods) => this.#podWords.follow(key, pods),
      add: (key, options) => this.#queue.add(key, options),
      onPhase: this.#announcer.phaseIs,
    });
  }

  readonly #onGone = (resource: Watched, uid: string): void => {
    if (resource === 'httproutes') this.#convergence.forget(uid);
    if (resource === 'deployments') this.#rehearsals.forget(uid);
  };

  readonly #noteRehearsal = (key: string, deploymentUid: string, result: { readonly refused?: string }): void => {
    this.#rehearsals.note(deploymentUid, result);
    this.#queue.add(key);
  };

  readonly #onWordless = (error: unknown): void =>
    this.#options.log.warn(
      { error: wordsOf(error) },
      'Events of a pod could not be read; only their words are missing.',
    );

  readonly #onWatchError = (resource: Watched, error: unknown): void => {
    const { metrics, log } = this.#options;
    metrics.watchRestarted(resource);
    log.warn({ resource, error: wordsOf(error) }, 'A watch was interrupted and is opened again.');
  };
}
