/** Which controllers a cluster has. */
import type { Clock, Random } from '../../kube/clock.ts';
import type { ApiServer } from '../server/api-server.ts';
import { DeploymentController } from './deployment/controller.ts';
import { EndpointSliceController } from './endpoint-slices.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { NamespaceController } from './namespaces.ts';
import { ReplicaSetController } from './replica-sets.ts';
import type { Controller } from './runner.ts';
import { Scheduler } from './scheduler.ts';
import { Gateway } from './stand-in-gateway.ts';
import { Kubelet, type StandInKubelet } from './stand-in-kubelet.ts';

export interface ControllersOptions {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined: some client is the node. */
  readonly kubelet: StandInKubelet | undefined;
  readonly gateway: boolean;
}

export function controllersOf(options: ControllersOptions): readonly Controller[] {
  const { kubelet, gateway } = options;
  return [
    new DeploymentController(options),
    new ReplicaSetController(options),
    new EndpointSliceController(options),
    new GarbageCollector(options),
    new NamespaceController(options),
    new Scheduler(options),
    ...(kubelet === undefined ? [] : [new Kubelet(options, kubelet)]),
    ...(gateway ? [new Gateway(options)] : []),
  ];
}
