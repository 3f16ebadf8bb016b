/** `serin check`: on a healthy cluster it finds nothing wrong, and every seeded fault is one sentence. */
import { readFileSync, readdirSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { refusal } from '../trial.ts';
import { shippedPolicies } from './cluster-findings.ts';
import type { Finding } from './finding.ts';
import type { Proof } from './proof.ts';
import { operatorRights } from './rights-findings.ts';
import { type SampleCluster, sampleCluster } from './sample-cluster.ts';

interface Answer {
  readonly ready: boolean;
  readonly findings: readonly Finding[];
  readonly notSeen: readonly string[];
  readonly proof?: Proof;
}

async function checked(cluster: SampleCluster, line = 'check checkout'): Promise<Answer & { readonly code: number }> {
  const code = await cluster.serin(`${line} -o json`);
  expect(cluster.said.err).toBe('');
  return { code, ...(JSON.parse(cluster.said.out) as Answer) };
}

const marked = ({ findings }: Answer, mark: Finding['mark']): string[] =>
  findings.filter((finding) => finding.mark === mark).map(({ message }) => message);

test('where nothing is wrong, nothing is said to be', async () => {
  const answer = await checked(sampleCluster());
  expect({ ...answer, fail: marked(answer, 'fail'), warn: marked(answer, 'warn') }).toMatchObject({
    code: 0,
    ready: true,
    fail: [],
    warn: [],
  });
  expect(marked(answer, 'unknown')).toEqual([]);
  expect(answer.proof?.steps.map(({ weightPercent }) => weightPercent)).toEqual([5, 25, 50]);
});

test('people read it by area, with what nobody could see at the end', async () => {
  const { said, serin } = sampleCluster();
  expect(await serin('check checkout')).toBe(0);
  expect(said.out).toMatch(/^Rollout shop\/checkout\n\nCluster\n {2}ok {4}The API server is Kubernetes v1\.36\.3\.$/m);
  expect(said.out).toContain('Deployment checkout is settled: 2 of 2 pods are available.');
  expect(said.out).toContain('It counted 200 requests a second in the last 5m, 0.1 % of them failed (57 of 57000).');
  expect(said.out).toMatch(/This traffic proves each step that nothing is wrong: 5% in .*, 25% in .*, 50% in /);
  expect(said.out).toMatch(/ {8}STEP +WEIGHT +CANARY\/S +ACCEPTABLE .*\n {8}1 +5% +10 +\d+m /);
  expect(said.out).toMatch(/Not seen from here\n {2}Whether the operator reaches/);
  expect(said.out).toMatch(/Nothing that can be seen from here stands in the way\.\n$/);
});

test('it writes nothing: every request that is no read is a review or a dry run', async () => {
  const cluster = sampleCluster();
  await checked(cluster);
  const writes = cluster.api.requests.filter(({ method }) => method !== 'GET');
  expect(writes.length).toBeGreaterThan(3);
  for (const { path, query } of writes)
    expect(path.endsWith('accessreviews') || query?.['dryRun'] === 'All').toBe(true);
});

type Fault = readonly [string, (cluster: SampleCluster) => void, RegExp];

const faults: readonly Fault[] = [
  [
    'kinds that are not installed',
    ({ remove }) => remove('apis/serin.dev/v1alpha1'),
    /The cluster does not know Rollout, RolloutAction/,
  ],
  [
    'a policy that is missing',
    ({ remove }) => remove('mutatingadmissionpolicies/serin-guard'),
    /policies are missing \(serin-guard\): the platform team/,
  ],
  [
    'a policy without binding',
    ({ remove }) => remove('mutatingadmissionpolicybindings/serin-pin'),
    /bound to nothing \(serin-pin\): the platform team/,
  ],
  [
    'an operator that is dead',
    ({ edit }) => edit('leases/serin', { spec: { renewTime: '2026-11-24T11:50:00Z' } }),
    /No operator runs: serin-7d4b_1 renewed its Lease 10m ago/,
  ],
  ['an operator that never was', ({ remove }) => remove('leases/serin'), /No operator has run here/],
  [
    'a Deployment that is missing',
    ({ remove }) => remove('deployments/checkout'),
    /Deployment checkout does not exist in shop/,
  ],
  [
    'no revision history',
    ({ edit }) => edit('deployments/checkout', { spec: { revisionHistoryLimit: 0 } }),
    /has revisionHistoryLimit 0/,
  ],
  [
    'strategy Recreate',
    ({ edit }) => edit('deployments/checkout', { spec: { strategy: { type: 'Recreate' } } }),
    /has strategy Recreate/,
  ],
  [
    'another tool',
    ({ edit }) => edit('deployments/checkout', { metadata: { annotations: { 'rollout.argoproj.io/revision': '3' } } }),
    /is held by Argo Rollouts/,
  ],
  [
    'a Deployment that somebody paused',
    ({ edit }) => edit('deployments/checkout', { spec: { paused: true }, status: { conditions: [] } }),
    /was paused by an unknown client/,
  ],
  [
    'a Service that is missing',
    ({ remove }) => remove('services/checkout'),
    /Service checkout \(traffic\.service\) does not exist/,
  ],
  [
    'an ExternalName',
    ({ edit }) => edit('services/checkout', { spec: { type: 'ExternalName', selector: null } }),
    /is of type ExternalName/,
  ],
  [
    'a Service without selector',
    ({ edit }) => edit('services/checkout', { spec: { selector: null } }),
    /has no selector/,
  ],
  [
    'a Service of other pods',
    ({ edit }) => edit('services/checkout', { spec: { selector: { app: 'cart' } } }),
    /does not match the pods of Deployment checkout/,
  ],
  [
    'a Service that is shared',
    ({ edit }) =>
      edit('endpointslices/checkout-1', { endpoints: [{ addresses: ['10.0.0.9'], conditions: { ready: true } }] }),
    /Service checkout also selects pods of address 10\.0\.0\.9/,
  ],
  [
    'a route that is missing',
    ({ remove }) => remove('httproutes/checkout'),
    /HTTPRoute checkout \(traffic\.routes\) does not exist/,
  ],
  [
    'a route that does not name the Service',
    ({ edit }) => edit('httproutes/checkout', { spec: { rules: [{ backendRefs: [{ name: 'cart', port: 80 }] }] } }),
    /No rule of HTTPRoute checkout has a backend that names Service checkout/,
  ],
  [
    'a route that no gateway accepted',
    ({ edit }) => edit('httproutes/checkout', { status: null }),
    /No gateway has accepted HTTPRoute checkout/,
  ],
  [
    'a name that is taken',
    ({ api }) =>
      api.put('/api/v1/namespaces/shop/services/checkout-canary', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'checkout-canary', namespace: 'shop', uid: 'u', resourceVersion: '1' },
        spec: { selector: { app: 'other' } },
      }),
    /Service checkout-canary exists and is not Serin's/,
  ],
  [
    'a source that answers something else',
    (cluster) => {
      const { respond } = cluster.api;
      cluster.api.respond = (request) => (request.path.includes('/proxy/') ? { hello: 'world' } : respond(request));
    },
    /MetricSource main .* answered JSON that is not a Prometheus result/,
  ],
  [
    'a source without such series',
    (cluster) => (cluster.counted = undefined),
    /MetricSource main has no series for http_requests_total/,
  ],
  [
    'a source that cannot be used',
    ({ edit }) => edit('metricsources/main', { spec: { prometheus: { address: 'ftp://x' } } }),
    /MetricSource main cannot be used/,
  ],
  [
    'rights that the operator lacks',
    ({ denied }) => denied.add('operator patch services'),
    /Serin's own account may not patch services in shop: the platform team/,
  ],
  [
    'a spec that cannot be read',
    ({ edit }) => edit('rollouts/checkout', { spec: { targetRef: { kind: 'StatefulSet' } } }),
    /spec\.targetRef\.kind/,
  ],
];

test.each(faults)('%s is one sentence, and a person is needed', async (_what, breakIt, words) => {
  const cluster = sampleCluster();
  breakIt(cluster);
  const answer = await checked(cluster);
  expect(marked(answer, 'fail').filter((message) => words.test(message))).toHaveLength(1);
  expect(answer).toMatchObject({ code: 4, ready: false });
});

test('a quota that has no room is said in the words of the API server', async () => {
  const cluster = sampleCluster();
  cluster.api.before = (request) => {
    if (request.method === 'POST' && request.path.endsWith('/pods'))
      throw refusal(request, 'Forbidden', 403, 'exceeded quota: pods=2, used: pods=2');
  };
  const answer = await checked(cluster);
  expect(marked(answer, 'fail')).toEqual([expect.stringContaining('exceeded quota: pods=2, used: pods=2')]);
});

const doubts: readonly Fault[] = [
  [
    'too little traffic',
    (cluster) => (cluster.counted = { perSecond: 0.02, failedShare: 0 }),
    /too little to prove every step within 10m .* with "proceed"/,
  ],
  [
    'no traffic',
    (cluster) => (cluster.counted = { perSecond: 0, failedShare: 0 }),
    /No request was counted in the last 5m, which proves nothing: a step without evidence ends after 10m with "proceed"/,
  ],
  ['no source', ({ remove }) => remove('metricsources/main'), /only readiness and restarts would be watched/],
  [
    'a pin that was left',
    ({ edit }) =>
      edit('services/checkout', {
        metadata: { labels: { 'serin.dev/pinned': '695d49c57z' } },
        spec: { selector: { 'pod-template-hash': '695d49c57z' } },
      }),
    /Service checkout is still narrowed to revision 695d49c57z/,
  ],
  [
    'pods that are not ready',
    ({ edit }) => edit('endpointslices/checkout-1', { endpoints: [] }),
    /none of them is ready/,
  ],
  [
    'acts that the person may not do',
    ({ denied }) => denied.add('person create rolloutactions'),
    /You may not create rolloutactions\.serin\.dev in shop/,
  ],
  ['a guard that does not hold', (cluster) => (cluster.guards = false), /the policy serin-guard does not hold it/],
];

test.each(doubts)('%s is a warning, and stops nobody', async (_what, breakIt, words) => {
  const cluster = sampleCluster();
  breakIt(cluster);
  const answer = await checked(cluster);
  expect(marked(answer, 'warn').filter((message) => words.test(message))).toHaveLength(1);
  expect(marked(answer, 'fail')).toEqual([]);
  expect(answer.code).toBe(0);
});

test('what may not be seen is said and nothing is claimed about it', async () => {
  const cluster = sampleCluster();
  cluster.api.before = (request) => {
    const isHidden = /leases|policies|bindings|\/services$|\/subjectaccessreviews|proxy/.test(request.path);
    if (isHidden) throw refusal(request, 'Forbidden', 403, 'forbidden');
  };
  cluster.denied.add('person patch deployments').add('person create pods');
  const answer = await checked(cluster);
  expect(answer.code).toBe(0);
  expect(marked(answer, 'fail')).toEqual([]);
  const unknown = marked(answer, 'unknown').join('\n');
  for (const words of [
    'admission policies',
    'the Lease',
    'own account',
    'held was not tried',
    'admit pods',
    'MetricSource main',
  ])
    expect(unknown).toContain(words);
  expect(answer.notSeen).toContain('You may not list services, so nothing can be said about them.');
});

test('without a name it looks at cluster, operator and rights only', async () => {
  const answer = await checked(sampleCluster(), 'check');
  expect(new Set(answer.findings.map(({ area }) => area))).toEqual(new Set(['cluster', 'operator', 'rights']));
});

test('a Deployment without Rollout is looked at as init would release it', async () => {
  const cluster = sampleCluster();
  cluster.remove('rollouts/checkout');
  const answer = await checked(cluster, 'check --target deployment/checkout');
  expect(marked(answer, 'fail')).toEqual([]);
  expect(marked(answer, 'ok')).toContain('HTTPRoute checkout names the Service and a gateway has accepted it.');
});

test('a Rollout that says itself that it is stuck is believed', async () => {
  const cluster = sampleCluster();
  const status = { phase: 'Waiting', reason: 'SourceNeverAnswered', message: 'The source never answered.' };
  cluster.edit('rollouts/checkout', { status: { ...status, conditions: [{ type: 'Stalled', status: 'True' }] } });
  const answer = await checked(cluster);
  expect(answer.findings).toContainEqual({
    area: 'workload',
    mark: 'fail',
    reason: 'SourceNeverAnswered',
    message: 'The Rollout is Waiting: The source never answered.',
  });
});

test.each([
  ['check nosuch', 6, /rollouts\.serin\.dev "nosuch" not found/],
  ['check --target deployment/nosuch', 6, /"nosuch" not found/],
  ['check --target statefulset/db', 2, /Serin releases only Deployments/],
  ['check checkout --target deployment/checkout', 2, /one of them/],
])('%s ends with %i', async (line, code, words) => {
  const { said, serin } = sampleCluster();
  expect(await serin(line)).toBe(code);
  expect(said.err).toMatch(words);
});

describe('what it takes for granted is what is shipped', () => {
  const root = new URL('../../../deploy/', import.meta.url);
  const read = (folder: string): unknown[] =>
    readdirSync(new URL(folder, root))
      .filter((file) => file.endsWith('.yaml'))
      .flatMap((file) => parseAllDocuments(readFileSync(new URL(`${folder}/${file}`, root), 'utf8')))
      .map((document): unknown => document.toJS());

  test('every policy', () => {
    const policies = read('policies') as { kind: string; metadata: { name: string } }[];
    const named = (kind: string) =>
      policies
        .filter((one) => one.kind === kind)
        .map(({ metadata }) => metadata.name)
        .toSorted();
    expect({
      mutating: named('MutatingAdmissionPolicy'),
      validating: named('ValidatingAdmissionPolicy'),
    }).toEqual(shippedPolicies);
  });

  test('every right', () => {
    const roles = read('rbac') as { kind: string; metadata: { name: string }; rules?: Rule[] }[];
    const rules = roles.filter(({ metadata }) => metadata.name === 'serin').flatMap((role) => role.rules ?? []);
    const missing = operatorRights.filter(({ verb, group, resource, subresource }) => {
      const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
      return !rules.some(
        (rule) => rule.apiGroups.includes(group) && rule.resources.includes(whole) && rule.verbs.includes(verb),
      );
    });
    expect(missing).toEqual([]);
  });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
