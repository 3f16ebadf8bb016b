import { request } from 'undici';
import { KubeClient } from '../kube/client.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { failure, MemoryApi } from '../kube/memory-api.ts';
import { Store } from '../kube/store.ts';
import type { Pod } from '../workload/objects.ts';
import { eventually, podOf } from './fixtures.ts';
import { Kubelet } from './kubelet.ts';
import { PodNetwork } from './network.ts';

interface Node {
  readonly api: MemoryApi;
  readonly clock: ManualClock;
  readonly network: PodNetwork;
  readonly pods: Store<Pod>;
  readonly kubelet: Kubelet;
  readonly running: Promise<void>;
  readonly stop: AbortController;
}

const nodes: Node[] = [];

function nodeWith(...first: readonly Pod[]): Node {
  const [api, clock, network, pods, stop] = [
    new MemoryApi(),
    new ManualClock(),
    new PodNetwork(),
    new Store<Pod>(),
    new AbortController(),
  ];
  for (const pod of first) {
    pods.put(pod);
    api.objects.set(statusPathOf(pod.metadata.name), { metadata: { name: pod.metadata.name } });
  }
  const kubelet = new Kubelet({ client: new KubeClient({ transport: api }), clock, network, pods, seed: 1 });
  const node = { api, clock, network, pods, kubelet, running: kubelet.run(stop.signal), stop };
  nodes.push(node);
  return node;
}

afterEach(async () => {
  for (const { stop, running } of nodes.splice(0)) {
    stop.abort();
    await running.catch(() => undefined);
  }
});

function statusPathOf(name: string): string {
  return `/api/v1/namespaces/shop/pods/${name}/status`;
}

function statusOf({ api }: Node, name = 'a'): Pod['status'] {
  return api.objects.get(statusPathOf(name))?.['status'] as Pod['status'];
}

function isReady(node: Node, name = 'a'): boolean {
  return statusOf(node, name)?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function deletions({ api }: Node): readonly unknown[] {
  return api.requests.filter(({ method }) => method === 'DELETE').map(({ path, body }) => ({ path, body }));
}

async function untilReady(node: Node, name = 'a'): Promise<string> {
  await eventually(() => statusOf(node, name)?.phase === 'Running');
  await node.clock.advance(700);
  await eventually(() => isReady(node, name));
  return node.network.originOf(`${statusOf(node, name)?.podIP}:8080`) ?? '';
}

function deleted(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, resourceVersion: '2', deletionTimestamp: '2026-01-01T00:00:00Z' } };
}

describe('the node of the demo', () => {
  test('runs a real server for a pod: Running at once, Ready a moment later', async () => {
    const node = nodeWith(podOf('a', { env: { VERSION: 'v7' } }));
    await eventually(() => statusOf(node)?.phase === 'Running');
    expect(isReady(node)).toBe(false);
    expect(statusOf(node)).toMatchObject({
      podIP: '10.244.0.1',
      containerStatuses: [{ name: 'app', restartCount: 0 }],
    });
    const origin = await untilReady(node);
    const { statusCode, headers, body } = await request(origin);
    await body.dump();
    expect([statusCode, headers['x-version']]).toEqual([200, 'v7']);
  });

  test('a version fails the share that its environment says, the same requests for the same seed', async () => {
    const fates = [];
    for (let run = 0; run < 2; run += 1) {
      const node = nodeWith(podOf('a', { env: { VERSION: 'v3', ERROR_RATE: '0.2' } }));
      const origin = await untilReady(node);
      const codes: number[] = [];
      for (let sent = 0; sent < 300; sent += 1) {
        const { statusCode, body } = await request(origin);
        await body.dump();
        codes.push(statusCode);
      }
      fates.push(codes);
    }
    expect(fates[0]).toEqual(fates[1]);
    const bad = fates[0]?.filter((code) => code === 500).length ?? 0;
    expect(bad).toBeGreaterThan(30);
    expect(bad).toBeLessThan(90);
  });

  test('a deleted pod goes on serving until everybody knows, then it is removed for good', async () => {
    const pod = podOf('a');
    const node = nodeWith(pod);
    const origin = await untilReady(node);
    node.pods.put(deleted(pod));
    await node.clock.advance(1_000);
    const { statusCode, body } = await request(origin);
    await body.dump();
    expect(statusCode).toBe(200);
    expect(deletions(node)).toEqual([]);
    await node.clock.advance(1_000);
    await eventually(() => deletions(node).length > 0);
    expect(deletions(node)).toMatchObject([
      { path: '/api/v1/namespaces/shop/pods/a', body: { gracePeriodSeconds: 0, preconditions: { uid: 'uid-a' } } },
    ]);
    expect(node.network.originOf('10.244.0.1:8080')).toBeUndefined();
    await expect(request(origin)).rejects.toThrow();
  });

  test('a pod that is still asked goes on serving, but not for ever', async () => {
    const pod = podOf('a');
    const node = nodeWith(pod);
    const origin = await untilReady(node);
    node.pods.put(deleted(pod));
    const ask = async (): Promise<void> => {
      const { body } = await request(origin);
      await body.dump();
      await node.clock.advance(300);
    };
    for (let asked = 0; asked < 20; asked += 1) await ask();
    expect(deletions(node)).toEqual([]);
    for (let asked = 0; asked < 85; asked += 1) await ask().catch(() => node.clock.advance(300));
    await eventually(() => deletions(node).length > 0);
  });

  test('a pod that is deleted before it was ready never becomes ready', async () => {
    const pod = podOf('a');
    const node = nodeWith(pod);
    await eventually(() => statusOf(node)?.phase === 'Running');
    node.pods.put(deleted(pod));
    await node.clock.advance(2_000);
    await eventually(() => deletions(node).length > 0);
    expect(isReady(node)).toBe(false);
  });

  test('counts every pod that was started, by version', async () => {
    const node = nodeWith(podOf('a', { env: { VERSION: 'v1' } }), podOf('b', { env: { VERSION: 'v2' } }));
    await eventually(() => statusOf(node, 'a') && statusOf(node, 'b'));
    expect(node.kubelet.started).toEqual([
      { name: 'a', version: 'v1' },
      { name: 'b', version: 'v2' },
    ]);
  });

  test('stopped, it leaves no server behind and writes nothing more', async () => {
    const node = nodeWith(podOf('a'));
    const origin = await untilReady(node);
    const { length } = node.api.requests;
    node.stop.abort();
    await node.running;
    await expect(request(origin)).rejects.toThrow();
    expect(node.api.requests).toHaveLength(length);
    expect(node.clock.pendingTimers).toBe(0);
  });

  test('a pod that is gone from the API is no failure, an API that refuses is one', async () => {
    const lonely = nodeWith();
    lonely.pods.put(podOf('a'));
    await eventually(() => lonely.api.requests.length > 0);
    const refused = nodeWith();
    refused.api.before = () => {
      throw failure('Forbidden');
    };
    refused.pods.put(podOf('a'));
    await expect(refused.running).rejects.toThrow('Forbidden');
  });
});
