/** Leaving: what is refused, in which order things go, and what a dead operator leaves to be done by hand. */
import { ManualClock } from '../kube/manual-clock.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import { failureOf } from './failure.ts';
import { sessionOn } from './session.ts';
import { uninstall, type UninstallOptions } from './uninstall.ts';

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const serinKinds = ['rollouts', 'rolloutactions', 'releaserecords', 'metricsources', 'flagsources'];

/** A cluster of a few objects, by "plural/namespace/name", with finalizers, and with kinds that go when their CRD does. */
class SmallCluster implements Transport {
  readonly objects = new Map<string, Stored>();
  readonly writes: string[] = [];
  mayDelete = true;
  /** What an operator does after each request; none lives by default. */
  operator: () => void = () => {};
  #version = 1;

  put(plural: string, object: Stored): void {
    const { namespace = '', name, uid = `uid-${plural}-${name}` } = object.metadata;
    const metadata = { ...object.metadata, uid, resourceVersion: String(++this.#version) };
    this.objects.set(`${plural}/${namespace}/${name}`, { ...object, metadata });
  }

  get(key: string): Stored | undefined {
    return this.objects.get(key);
  }

  async request<T>(request: KubeRequest): Promise<T> {
    this.operator();
    const answer = this.#answer(request);
    // Not structuredClone: in Jest it makes objects of another realm, which no deep comparison finds equal.
    return JSON.parse(JSON.stringify(answer)) as T;
  }

  stream(): Promise<AsyncIterable<string>> {
    return Promise.reject(new Error('nobody watches'));
  }

  async close(): Promise<void> {}

  #answer({ method, path, body }: KubeRequest): unknown {
    const parts = path.split('/').slice(path.startsWith('/api/') ? 3 : 4);
    const isWithin = parts[0] === 'namespaces' && parts.length > 2;
    const namespace = isWithin ? parts[1] : undefined;
    const [plural = '', name] = isWithin ? parts.slice(2) : parts;
    if (method === 'POST') return { metadata: {}, status: { allowed: this.mayDelete } };
    const hasDefinition = this.objects.has(`customresourcedefinitions//${plural}.serin.dev`);
    if (serinKinds.includes(plural) && !hasDefinition) throw absent(path);
    if (name === undefined) return { metadata: { resourceVersion: '1' }, items: this.#list(plural, namespace) };
    const key = `${plural}/${namespace ?? ''}/${name}`;
    const object = this.objects.get(key);
    if (object === undefined) throw absent(path);
    if (method === 'GET') return object;
    this.writes.push(`${method} ${plural}/${name}`);
    return method === 'DELETE' ? this.#delete(key, object) : this.#patch(key, object, body as Stored);
  }

  #list(plural: string, namespace: string | undefined): readonly Stored[] {
    const isHere = ({ metadata }: Stored) => namespace === undefined || metadata.namespace === namespace;
    return [...this.objects]
      .filter(([key]) => key.startsWith(`${plural}/`))
      .map(([, one]) => one)
      .filter(isHere);
  }

  #delete(key: string, object: Stored): object {
    if ((object.metadata.finalizers ?? []).length === 0) this.objects.delete(key);
    else
      this.put(key.slice(0, key.indexOf('/')), {
        ...object,
        metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      });
    return {};
  }

  #patch(key: string, object: Stored, patch: Stored): unknown {
    const wanted = patch.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== object.metadata.resourceVersion)
      throw new KubeError('conflict', { code: 'Conflict', retry: 'now' });
    const written = merged(object, patch) as Stored;
    const isLast = written.metadata.deletionTimestamp !== undefined && (written.metadata.finalizers ?? []).length === 0;
    if (isLast) this.objects.delete(key);
    else this.put(key.slice(0, key.indexOf('/')), written);
    return this.objects.get(key) ?? written;
  }
}

function absent(path: string): KubeError {
  return new KubeError(`${path} is not there`, { code: 'NotFound', retry: 'never', httpStatus: 404 });
}

function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...Object(target) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const template = (image: string, hash?: string) => ({
  metadata: { labels: { app: 'checkout', ...(hash === undefined ? {} : { 'pod-template-hash': hash }) } },
  spec: { containers: [{ name: 'app', image }] },
});

/** A shop that Serin is attached to, at rest; `image` is what its Deployment asks for, v1 is what runs. */
function shop({
  image = 'v1',
  held = false,
  attempt = false,
}: {
  image?: string;
  held?: boolean;
  attempt?: boolean;
} = {}) {
  const cluster = new SmallCluster();
  const policy = { spec: { matchConditions: [{ expression: "'serin.dev/attached'" }] } };
  for (const plural of serinKinds)
    cluster.put('customresourcedefinitions', {
      metadata: { name: `${plural}.serin.dev` },
      spec: { group: 'serin.dev' },
    });
  cluster.put('mutatingadmissionpolicies', { metadata: { name: 'serin-guard' }, ...policy });
  cluster.put('mutatingadmissionpolicybindings', {
    metadata: { name: 'serin-guard' },
    spec: { policyName: 'serin-guard' },
  });
  cluster.put('validatingadmissionpolicies', { metadata: { name: 'serin-lookalike' }, spec: { about: 'birds' } });
  cluster.put('clusterroles', { metadata: { name: 'serin' } });
  cluster.put('clusterroles', { metadata: { name: 'serinette' } });
  cluster.put('namespaces', { metadata: { name: 'serin-system' } });
  cluster.put('leases', { metadata: { name: 'serin', namespace: 'serin-system' } });
  const home = { namespace: 'shop' };
  cluster.put('rollouts', {
    metadata: { name: 'checkout', ...home, finalizers: ['serin.dev/detach'] },
    spec: { targetRef: { name: 'checkout' }, traffic: { service: 'checkout', routes: [] } },
    status: {
      message: 'Deployment checkout is native again.',
      ...(attempt ? { journal: { attempt: { number: 1 } } } : {}),
    },
  });
  cluster.put('deployments', {
    metadata: {
      name: 'checkout',
      ...home,
      labels: { team: 'a', 'serin.dev/attached': 'true' },
      annotations: held ? { 'serin.dev/held': 'true' } : {},
    },
    spec: {
      ...(held ? { paused: true } : {}),
      replicas: 2,
      selector: { matchLabels: { app: 'checkout' } },
      template: template(image),
    },
  });
  cluster.put('replicasets', {
    metadata: {
      name: 'checkout-aaa',
      ...home,
      labels: { app: 'checkout', 'pod-template-hash': 'aaa' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'checkout',
          uid: 'uid-deployments-checkout',
          controller: true,
        },
      ],
    },
    spec: { replicas: 2, template: template('v1', 'aaa') },
    status: { replicas: 2, readyReplicas: 2 },
  } as Stored);
  return cluster;
}

/** Renews its Lease, and lets go of Rollouts that are being deleted. */
function livingOperator(cluster: SmallCluster, letsGo = true): void {
  cluster.operator = () => {
    cluster.put('leases', { metadata: { name: 'serin', namespace: 'serin-system' } });
    const rollout = cluster.get('rollouts/shop/checkout');
    if (letsGo && rollout?.metadata.deletionTimestamp !== undefined) {
      cluster.objects.delete('rollouts/shop/checkout');
      const { metadata, ...rest } = cluster.get('deployments/shop/checkout') ?? { metadata: { name: 'checkout' } };
      cluster.put('deployments', { ...rest, metadata: { ...metadata, labels: { team: 'a' }, annotations: {} } });
    }
  };
}

async function run(
  cluster: SmallCluster,
  options: Partial<UninstallOptions> = {},
  answer?: string,
): Promise<{ code: number; out: string; err: string; asked: string }> {
  const said = { out: '', err: '', asked: '' };
  const clock = new ManualClock();
  const terminal = {
    isInteractive: answer !== undefined,
    columns: 100,
    hasColour: false,
    print: (text: string) => void (said.out += `${text}\n`),
    complain: (text: string) => void (said.err += `${text}\n`),
    draw: () => undefined,
  };
  const running = uninstall(
    { yes: answer === undefined, force: false, dryRun: false, timeoutMs: 60_000, ...options },
    {
      terminal,
      clock,
      random: () => 0.5,
      programName: 'serin',
      open: async () => sessionOn(cluster, 'default'),
      readText: () => Promise.reject(new Error('no files')),
      ask: async (question) => {
        said.asked += question;
        return answer ?? '';
      },
    },
  ).catch((error: unknown) => {
    const { line, exitCode } = failureOf(error, 'serin');
    terminal.complain(line);
    return exitCode;
  });
  // Whatever waits, waits by this clock; an hour is longer than any of it.
  await clock.advance(3_600_000);
  return { code: await running, ...said };
}

const remaining = (cluster: SmallCluster): readonly string[] =>
  [...cluster.objects.keys()].filter((key) => /serin(?!ette|-lookalike)/.test(key) && !key.startsWith('leases'));

test('with a living operator Rollouts go first, then policies, then kinds, then the namespace; what only looks alike stays', async () => {
  const cluster = shop();
  livingOperator(cluster);
  const { code, out } = await run(cluster);
  expect({ code, last: out.trim().split('\n').at(-1) }).toEqual({ code: 0, last: 'Serin is gone.' });
  expect(cluster.writes.filter((write) => write.startsWith('DELETE'))).toEqual([
    'DELETE rollouts/checkout',
    'DELETE mutatingadmissionpolicybindings/serin-guard',
    'DELETE mutatingadmissionpolicies/serin-guard',
    ...serinKinds.map((plural) => `DELETE customresourcedefinitions/${plural}.serin.dev`),
    'DELETE clusterroles/serin',
    'DELETE namespaces/serin-system',
  ]);
  expect(remaining(cluster)).toEqual([]);
  expect([...cluster.objects.keys()]).toEqual(
    expect.arrayContaining(['clusterroles//serinette', 'validatingadmissionpolicies//serin-lookalike']),
  );
});

test('a running release is named and refused, and nothing is written', async () => {
  const cluster = shop({ attempt: true });
  const { code, err } = await run(cluster);
  expect(code).toBe(4);
  expect(err).toContain('a release is running: Rollout shop/checkout');
  expect(cluster.writes).toEqual([]);
});

test('with --force it is taken back by the operator', async () => {
  const cluster = shop({ attempt: true });
  livingOperator(cluster);
  expect((await run(cluster, { force: true })).code).toBe(0);
  expect(remaining(cluster)).toEqual([]);
});

test('a dry run says what would go and writes nothing', async () => {
  const cluster = shop();
  const { code, out } = await run(cluster, { dryRun: true });
  expect(code).toBe(0);
  expect(out).toContain('1 Rollout is deleted, 1 Deployment becomes native again');
  expect(out).toContain('shop/checkout');
  expect(cluster.writes).toEqual([]);
});

test('a person is asked, and no other word than yes is taken for it', async () => {
  const cluster = shop();
  livingOperator(cluster);
  expect(await run(cluster, {}, 'y')).toMatchObject({
    code: 1,
    asked: 'Remove Serin from this cluster? Type yes to go on: ',
  });
  expect(cluster.writes).toEqual([]);
  expect((await run(cluster, {}, 'yes')).code).toBe(0);
});

test('where nobody can be asked, --yes is needed', async () => {
  const cluster = shop();
  expect(await run(cluster, { yes: false })).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') });
  expect(cluster.writes).toEqual([]);
});

test('whoever may not finish does not begin', async () => {
  const cluster = shop();
  cluster.mayDelete = false;
  expect(await run(cluster)).toMatchObject({ code: 6, err: expect.stringContaining('nothing was changed') });
  expect(cluster.writes).toEqual([]);
});

test('an operator that lives and does not let go keeps its policies and kinds', async () => {
  const cluster = shop();
  livingOperator(cluster, false);
  const { code, err } = await run(cluster, { timeoutMs: 30_000 });
  expect(code).toBe(5);
  expect(err).toContain('the operator runs but did not let go of shop/checkout');
  expect(cluster.get('mutatingadmissionpolicies//serin-guard')).toBeDefined();
});

test('without an operator it is done by hand, and a held Deployment that runs its template is resumed', async () => {
  const cluster = shop({ held: true });
  const { code, out } = await run(cluster);
  expect(code).toBe(0);
  expect(out).toContain('no operator runs, so this is done by hand: shop/checkout');
  const deployment = cluster.get('deployments/shop/checkout');
  expect(deployment?.metadata).toMatchObject({ labels: { team: 'a' }, annotations: {} });
  expect(deployment?.['spec']).not.toHaveProperty('paused');
  expect(remaining(cluster)).toEqual([]);
});

test('by hand too, a template that was never released stays paused, and the Deployment is named', async () => {
  const cluster = shop({ held: true, image: 'v2' });
  const { code, out } = await run(cluster);
  expect(code).toBe(0);
  expect(cluster.get('deployments/shop/checkout')).toMatchObject({
    spec: { paused: true },
    metadata: { labels: { team: 'a' } },
  });
  expect(cluster.get('deployments/shop/checkout')?.metadata.annotations).toEqual({});
  expect(out).toContain('kubectl rollout resume deployment/checkout -n shop');
});

test('by hand, a guarded Deployment is released before it is resumed, as a person breaks the glass', async () => {
  const cluster = shop({ held: true });
  const labels: unknown[] = [];
  cluster.operator = () =>
    labels.push(cluster.get('deployments/shop/checkout')?.metadata.labels?.['serin.dev/attached']);
  await run(cluster);
  expect([...new Set(labels)]).toEqual(['true', 'released', undefined]);
});

test('by hand, a pin goes, and a pin to a version without pods goes before everything', async () => {
  const cluster = shop();
  for (const [name, hash] of [
    ['alive', 'aaa'],
    ['dead', 'zzz'],
  ])
    cluster.put('services', {
      metadata: {
        name: name ?? '',
        namespace: 'shop',
        labels: { 'serin.dev/pinned': hash ?? '', 'serin.dev/rollout-uid': 'u' },
      },
      spec: { selector: { app: 'checkout', 'pod-template-hash': hash } },
    });
  await run(cluster);
  for (const name of ['alive', 'dead'])
    expect(cluster.get(`services/shop/${name}`)).toMatchObject({
      metadata: { labels: {} },
      spec: { selector: { app: 'checkout' } },
    });
  const order = cluster.writes.filter((write) => write.startsWith('PATCH services/'));
  expect(order[0]).toBe('PATCH services/dead');
});

test('by hand, the last ready pods of a Deployment are not taken away, whoever judged them', async () => {
  const cluster = shop({ held: true, image: 'v2' });
  const stable = cluster.get('replicasets/shop/checkout-aaa');
  cluster.put('replicasets', {
    ...stable,
    metadata: { ...stable?.metadata, name: 'checkout-aaa' },
    status: { readyReplicas: 0 },
  });
  cluster.put('replicasets', {
    metadata: {
      name: 'checkout-bbb',
      namespace: 'shop',
      labels: { app: 'checkout', 'pod-template-hash': 'bbb', 'serin.dev/rollout-uid': 'u' },
      ownerReferences: [
        { apiVersion: 'serin.dev/v1alpha1', kind: 'ReleaseRecord', name: 'r', uid: 'r', controller: true },
      ],
    },
    spec: { replicas: 2, template: template('v2', 'bbb') },
    status: { readyReplicas: 2 },
  } as Stored);
  const { code, err } = await run(cluster, { force: true });
  expect(code).toBe(4);
  expect(err).toContain('ReplicaSet shop/checkout-bbb, a version that was never released, has the only ready pods');
  expect(cluster.get('replicasets/shop/checkout-bbb')).toMatchObject({ spec: { replicas: 2 } });
  expect(cluster.get('mutatingadmissionpolicies//serin-guard')).toBeDefined();
});

test('when kinds and policies went before, what hangs on its finalizer is let go', async () => {
  const cluster = shop();
  for (const key of [
    'mutatingadmissionpolicies//serin-guard',
    'mutatingadmissionpolicybindings//serin-guard',
    'namespaces//serin-system',
  ])
    cluster.objects.delete(key);
  expect((await run(cluster)).code).toBe(0);
  expect(remaining(cluster)).toEqual([]);
});

test('with --namespace only that namespace is left, and the kinds stay', async () => {
  const cluster = shop();
  livingOperator(cluster);
  const { code, out } = await run(cluster, { namespace: 'shop' });
  expect(code).toBe(0);
  expect(out).toContain('Serin is gone from namespace shop.');
  expect(cluster.get('rollouts/shop/checkout')).toBeUndefined();
  expect(cluster.get('customresourcedefinitions//rollouts.serin.dev')).toBeDefined();
});

test('a cluster without Serin is told so', async () => {
  expect(await run(new SmallCluster())).toMatchObject({ code: 0, out: 'Nothing of Serin is in this cluster.\n' });
});
