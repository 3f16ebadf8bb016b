/** `serin plan`: from a file alone, and with a cluster behind it. */
import { parse } from 'yaml';
import { KubeError } from '../kube/errors.ts';
import { checkout, refusal, rolloutPath, statuses, type Trial, trial } from './trial.ts';

const rollout = `
apiVersion: serin.dev/v1alpha1
kind: Rollout
metadata: { name: checkout, namespace: shop }
spec:
  targetRef: { apiVersion: apps/v1, kind: Deployment, name: checkout }
  traffic: { service: checkout, routes: [{ kind: HTTPRoute, name: checkout }] }
`;

const deployment = (changes = ''): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: checkout, namespace: shop }
spec:
  replicas: 10
  ${changes}
  selector: { matchLabels: { app: checkout } }
  template:
    metadata: { labels: { app: checkout } }
    spec: { containers: [{ name: app, image: shop/checkout:1.5.0 }] }
`;

const traffic = `
---
apiVersion: v1
kind: Service
metadata: { name: checkout, namespace: shop }
spec: { selector: { app: checkout }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: checkout-admin, namespace: shop }
spec: { selector: { app: checkout }, ports: [{ port: 81 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: checkout, namespace: shop }
spec: { parentRefs: [{ name: gateway }], rules: [{ backendRefs: [{ name: checkout, port: 80 }] }] }
`;

const alone = (file: string): Trial => trial({ hasNoCluster: true, files: { 'r.yaml': file } });

test('a Rollout alone shows its steps with the defaults, and says that only the file is known', async () => {
  const { said, serin } = alone(rollout);
  expect(await serin('plan -f r.yaml')).toBe(0);
  expect(said.out).toMatch(/1 +5% +- +- +30s\n +2 +25% +- +- +30s\n +3 +50% +- +- +30s\n +bake +100% +- +- +5m/);
  expect(said.out).toContain('only what the file has in it is known');
  expect(said.out).toContain('with too few requests after 10m: proceed');
});

test('with its Deployment and Services in the file it shows pods at each step, the peak, and what is pinned', async () => {
  const { said, serin } = alone(rollout + deployment() + traffic);
  expect(await serin('plan -f r.yaml -o json')).toBe(0);
  expect(JSON.parse(said.out)).toMatchObject({
    replicas: 10,
    peakPods: 20,
    shortestMs: 390_000,
    pinned: ['checkout', 'checkout-admin'],
    refusals: [],
    steps: [
      { weightPercent: 5, canaryPods: 2, totalPods: 12 },
      { weightPercent: 25, canaryPods: 3, totalPods: 13 },
      { weightPercent: 50, canaryPods: 5, totalPods: 15 },
      { weightPercent: 100, kind: 'bake', canaryPods: 10, totalPods: 20 },
    ],
  });
});

test('all that stands in the way is said at once, in the words of the operator, with exit code 4', async () => {
  const file =
    rollout +
    deployment('revisionHistoryLimit: 0') +
    traffic.replace('selector: { app: checkout }', 'selector: { app: other }');
  const { said, serin } = alone(file);
  expect(await serin('plan -f r.yaml -o yaml')).toBe(4);
  const { refusals }: { refusals: { reason: string }[] } = parse(said.out);
  expect(refusals.map(({ reason }) => reason)).toEqual(['NoHistory', 'ServiceSelectsOthers']);
});

test.each([
  [
    'weights that fall',
    rollout.replace('traffic:', 'strategy: { steps: [{ weight: 50 }, { weight: 5 }] }\n  traffic:'),
    /not valid: .*spec\.strategy\.steps: each step needs a higher weight/,
  ],
  ['a field that does not exist', rollout.replace('traffic:', 'strategie: {}\n  traffic:'), /not valid: .*strategie/],
  ['a file without a Rollout', deployment(), /r\.yaml has no Rollout of serin\.dev in it/],
  ['two Rollouts', `${rollout}---${rollout}`, /2 Rollouts/],
  ['what is no YAML', 'a: [', /r\.yaml, document 1: /],
  ['what is no object', '- 1', /r\.yaml, document 1: is not a Kubernetes object/],
])('%s is an error with exit code 1', async (_what, file, words) => {
  const { said, serin } = alone(file);
  expect(await serin('plan -f r.yaml')).toBe(1);
  expect(said.err).toMatch(words);
});

function cluster(): Trial {
  const stage = trial();
  stage.api.put(rolloutPath, checkout(statuses.idle));
  for (const document of (deployment() + traffic).split('---\n').slice(1)) {
    const object: { kind: string; apiVersion: string; metadata: { name: string } } = parse(document);
    const plural = `${object.kind.toLowerCase()}s`;
    const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
    const metadata = { ...object.metadata, uid: object.metadata.name, resourceVersion: '1' };
    stage.api.put(`${group}/namespaces/shop/${plural}/${object.metadata.name}`, { ...object, metadata });
  }
  return stage;
}

test('a Rollout of the cluster is planned with the Deployment that runs', async () => {
  const { said, serin } = cluster();
  expect(await serin('plan checkout')).toBe(0);
  expect(said.out).toContain('Rollout shop/checkout of Deployment checkout, 10 replicas');
  expect(said.out).toContain('kept on the old version during a release: Service checkout, checkout-admin');
  expect(said.out).toContain('no MetricSource: only readiness and restarts are watched');
  expect(said.out).toContain('Nothing that can be seen from here stands in the way');
});

test('with a cluster, an object that is nowhere is missing', async () => {
  const stage = cluster();
  stage.api.objects.delete('/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout');
  expect(await stage.serin('plan checkout')).toBe(4);
  expect(stage.said.out).toContain('RouteMissing: HTTPRoute checkout');
});

test('a MetricSource that is named and not there stands in the way', async () => {
  const stage = cluster();
  const named = checkout(statuses.idle);
  stage.api.put(rolloutPath, { ...named, spec: { ...named.spec, analysis: { source: 'prometheus' } } });
  expect(await stage.serin('plan checkout')).toBe(4);
  expect(stage.said.out).toContain('MetricSource prometheus does not exist');
});

test('what the user may not list is said and nothing is claimed about it', async () => {
  const stage = cluster();
  stage.api.objects.delete('/api/v1/namespaces/shop/services/checkout');
  stage.api.before = (request) => {
    if (request.path.endsWith('/services')) throw refusal(request, 'Forbidden', 403, 'services is forbidden');
  };
  expect(await stage.serin('plan checkout')).toBe(0);
  expect(stage.said.out).toContain('Note: you may not list services');
});

test('a file is planned although the cluster cannot be reached', async () => {
  const stage = trial({ files: { 'r.yaml': rollout } });
  stage.api.before = () => {
    throw new KubeError('list deployments: cannot talk to the API server (ECONNREFUSED)', {
      code: 'Network',
      retry: 'backoff',
    });
  };
  expect(await stage.serin('plan -f r.yaml')).toBe(0);
  expect(stage.said.out).toContain('the cluster could not be asked');
});
