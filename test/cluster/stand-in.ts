/**
 * The program that stands in for the node of a cluster without one: `node stand-in.ts KUBECONFIG`. It registers a node that
 * is always Ready and looks after the pods until it is ended.
 */
import { KubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { loadConnection } from '../../src/kube/config.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type ResourceKind, pods } from '../../src/kube/resources.ts';
import { Store } from '../../src/kube/store.ts';
import { HttpTransport } from '../../src/kube/transport.ts';
import type { Pod } from '../../src/workload/objects.ts';
import { nodeAddress, nodeName } from './addresses.ts';
import { messageOf } from './faults.ts';
import { StandIn } from './stand-in-pods.ts';

const nodes: ResourceKind = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

const room = { cpu: '64', memory: '256Gi', pods: '1000' };

function condition(type: string, status: string): object {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return { type, status, reason: 'StandIn', message: 'no kubelet runs here', lastTransitionTime: now };
}

async function ensureNode(client: KubeClient): Promise<void> {
  try {
    await client.create(nodes, { metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } } });
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
  // The API server taints every new node, and nobody else would take that off.
  await client.mergePatch(nodes, { name: nodeName }, { spec: { taints: null } });
  await client.patchStatus(
    nodes,
    { name: nodeName },
    {
      capacity: room,
      allocatable: room,
      addresses: [{ type: 'InternalIP', address: nodeAddress }],
      conditions: [condition('Ready', 'True'), condition('MemoryPressure', 'False')],
    },
  );
}

async function main(kubeconfig: string, signal: AbortSignal): Promise<void> {
  const transport = new HttpTransport({ connection: loadConnection({ kubeconfig }), clock: systemClock });
  const client = new KubeClient({ transport, fieldManager: 'stand-in' });
  const say = (error: unknown): void => console.error(messageOf(error));
  await ensureNode(client);
  const store = new Store<Pod>();
  const reflector = new Reflector<Pod>({
    client,
    clock: systemClock,
    random: Math.random,
    kind: pods,
    store,
    project: (object) => object as Pod,
    onError: say,
  });
  const standIn = new StandIn({ client, clock: systemClock, node: nodeName, pods: store, onError: say });
  await Promise.all([reflector.run(signal), standIn.run(signal)]);
  await transport.close();
}

const [kubeconfig] = process.argv.slice(2);
if (import.meta.main) {
  if (kubeconfig === undefined) throw new Error('usage: node test/cluster/stand-in.ts KUBECONFIG');
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  await main(kubeconfig, stop.signal);
}
