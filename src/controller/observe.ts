/**
 * Builds the world of one Rollout from what the stores hold, for the core to decide on. It asks nobody and judges
 * nothing: what an object means is said by the views of workload and traffic.
 */
import type { EffectiveSpec } from '../api/effective.ts';
import type { Answer } from '../analysis/answer.ts';
import { keyOf } from '../kube/resources.ts';
import type { CheckAnswer, Memory, World } from '../release/world.ts';
import type { EndpointSlice, HTTPRoute, Service } from '../traffic/objects.ts';
import { viewCanaryService, viewServices } from '../traffic/services.ts';
import type { ConvergenceWatch } from '../traffic/convergence.ts';
import { viewRoute } from '../traffic/gateway-api.ts';
import { viewActions } from '../workload/actions.ts';
import { viewDeployment } from '../workload/deployment.ts';
import type { Claim } from '../workload/holders.ts';
import { DETACH_FINALIZER } from '../workload/marks.ts';
import type { Deployment, Pod, PodEvent, ReleaseRecord, ReplicaSet, RolloutAction } from '../workload/objects.ts';
import { viewRecords } from '../workload/record.ts';
import { viewReplicaSets } from '../workload/replica-sets.ts';
import { readSpec } from './read-spec.ts';
import type { Rehearsal } from './rehearsals.ts';
import { readStatus } from './status.ts';
import { type Rollout, type Stores, targetKeyOf } from './stores.ts';

/** The very objects that a world was built from: what is done about it is guarded by their versions. */
export interface Seen {
  readonly rollout: Rollout;
  /** The spec that traffic was looked at with: the attempt's own while one runs. */
  readonly spec: EffectiveSpec;
  readonly deployment: Deployment | undefined;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly records: readonly ReleaseRecord[];
  readonly actions: readonly RolloutAction[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly routes: readonly HTTPRoute[];
  readonly world: World;
}

export type Observation =
  | { readonly kind: 'world'; readonly world: World; readonly seen: Seen }
  | { readonly kind: 'unreadable'; readonly message: string };

/** What is known besides objects. */
export interface Knowledge {
  readonly guardOf: (namespace: string) => World['guard'];
  readonly rehearsalOf: (deploymentUid: string) => Rehearsal | undefined;
  readonly answerOf: (key: string, memory: Memory, spec: EffectiveSpec) => Answer;
  /** Alerts that the Rollout names, that fire now and that count. */
  readonly alertsOf: (key: string) => World['alerts'];
  /** How far each change of a flag has come that was asked for this Rollout. */
  readonly flagsOf: (key: string) => World['flags'];
  /** What the check that the attempt stands at has brought so far. */
  readonly checkOf: (key: string, memory: Memory) => CheckAnswer | undefined;
  /** What is known of the Events about pods of this Rollout's canary. */
  readonly eventsOf: (key: string) => readonly PodEvent[];
  /** Since when each gateway was seen to have taken up each route. */
  readonly convergence: ConvergenceWatch;
}

export class Observer {
  readonly #stores: Stores;
  readonly #knowledge: Knowledge;

  constructor(stores: Stores, knowledge: Knowledge) {
    this.#stores = stores;
    this.#knowledge = knowledge;
  }

  observe(rollout: Rollout): Observation {
    const reading = readSpec(rollout.spec);
    const { memory, hasJournal } = readStatus(rollout.status);
    const isDeleting = rollout.metadata.deletionTimestamp !== undefined;
    const { attempt } = memory.journal;
    const spec = reading.kind === 'read' ? reading.spec : (attempt?.spec ?? (isDeleting ? reading.remnant : undefined));
    if (spec === undefined) return { kind: 'unreadable', message: reading.kind === 'read' ? '' : reading.message };
    return this.#world(rollout, spec, memory, hasJournal);
  }

  #world(rollout: Rollout, spec: EffectiveSpec, memory: Memory, hasJournal: boolean): Observation {
    const { metadata } = rollout;
    const namespace = metadata.namespace ?? '';
    const key = keyOf(metadata);
    const current = memory.journal.attempt?.spec ?? spec;
    const objects = this.#objectsOf(rollout, current);
    const { deployment } = objects;
    const workload = this.#workloadViews(rollout, objects, memory);
    const traffic = this.#trafficViews(rollout, objects, current);
    const world: World = {
      rollout: {
        namespace,
        name: metadata.name,
        uid: metadata.uid,
        generation: metadata.generation ?? 0,
        deleting: metadata.deletionTimestamp !== undefined,
        hasFinalizer: metadata.finalizers?.includes(DETACH_FINALIZER) ?? false,
      },
      spec,
      memory,
      hasJournal,
      ...workload,
      ...traffic,
      actions: viewActions(objects.actions, metadata.name),
      answer: this.#knowledge.answerOf(key, memory, current),
      guard: this.#knowledge.guardOf(namespace),
      rehearsal: deployment === undefined ? undefined : this.#knowledge.rehearsalOf(deployment.metadata.uid),
      check: this.#knowledge.checkOf(key, memory),
      flags: this.#knowledge.flagsOf(key),
      alerts: this.#knowledge.alertsOf(key),
    };
    return { kind: 'world', world, seen: { rollout, spec: current, ...objects, world } };
  }

  #objectsOf(rollout: Rollout, spec: EffectiveSpec) {
    const { namespace = '', name } = rollout.metadata;
    const { deployments, replicasets, pods, releaserecords, rolloutactions, services, endpointslices, httproutes } =
      this.#stores;
    const routes = spec.traffic.routes.map((route) => httproutes.get(namespace, route.name));
    return {
      deployment: deployments.get(namespace, spec.target.name),
      replicaSets: replicasets.list('namespace', namespace),
      pods: pods.list('namespace', namespace),
      records: releaserecords.list('rollout', `${namespace}/${name}`),
      actions: rolloutactions.list('rollout', `${namespace}/${name}`),
      services: services.list('namespace', namespace),
      slices: endpointslices.list('namespace', namespace),
      routes: routes.filter((route) => route !== undefined),
    };
  }

  #workloadViews(
    rollout: Rollout,
    objects: Objects,
    memory: Memory,
  ): Pick<World, 'deployment' | 'replicaSets' | 'records'> {
    const { deployment, replicaSets, pods, records } = objects;
    const { uid } = rollout.metadata;
    return {
      deployment: deployment === undefined ? undefined : viewDeployment(deployment, this.#claimsOfOthers(rollout)),
      replicaSets: viewReplicaSets({
        deployment,
        replicaSets,
        pods,
        rolloutUid: uid,
        named: memory.journal.attempt?.replicaSet,
        events: this.#knowledge.eventsOf(keyOf(rollout.metadata)),
      }),
      records: viewRecords(records, uid),
    };
  }

  #trafficViews(
    rollout: Rollout,
    objects: Objects,
    spec: EffectiveSpec,
  ): Pick<World, 'services' | 'canaryService' | 'routes'> {
    const { deployment, replicaSets, pods, services, slices, routes } = objects;
    const seen = {
      deployment,
      replicaSets,
      pods,
      services,
      slices,
      traffic: spec.traffic,
      rolloutUid: rollout.metadata.uid,
    };
    const { service, settleMs } = spec.traffic;
    const backend = services.find(({ metadata }) => metadata.name === service);
    const viewed = spec.traffic.routes.flatMap(({ name }) => {
      const route = routes.find(({ metadata }) => metadata.name === name);
      // The API server refuses routes without a Service.
      if (service === undefined) return [];
      return [viewRoute({ name, route, service, backend, settleMs }, this.#knowledge.convergence)];
    });
    return { services: viewServices(seen), canaryService: viewCanaryService(seen), routes: viewed };
  }

  /** The Rollout that was there first holds the workload; every other one is refused. */
  #claimsOfOthers(rollout: Rollout): readonly Claim[] {
    const target = targetKeyOf(rollout);
    if (target === undefined) return [];
    const [first] = this.#stores.rollouts.list('target', target).toSorted(byAge);
    if (first === undefined || first.metadata.uid === rollout.metadata.uid) return [];
    const deployment = target.slice(target.indexOf('/') + 1);
    return [{ tool: 'Serin', rollout: keyOf(first.metadata), deployment }];
  }
}

type Objects = Omit<Seen, 'rollout' | 'spec' | 'world'>;

function byAge(a: Rollout, b: Rollout): number {
  const byTime = (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');
  return byTime === 0 ? a.metadata.uid.localeCompare(b.metadata.uid) : byTime;
}
