/** What a cluster must have for a demo, and the one sentence that says what it has not. */
import { type Served, serve } from '../serve.ts';
import { refusal, type Trial, trial } from '../../cli/trial.ts';
import { KubeClient } from '../../kube/client.ts';
import { lookAround, type Wishes } from './ground.ts';
import { Missing } from './missing.ts';

const paths = {
  gateway: '/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways/gateway',
  source: '/apis/serin.dev/v1alpha1/metricsources/prometheus',
  operator: '/apis/apps/v1/namespaces/serin-system/deployments/serin',
  lease: '/apis/coordination.k8s.io/v1/namespaces/serin-system/leases/serin',
  token: '/api/v1/namespaces/serin-system/serviceaccounts/serin/token',
  node: '/api/v1/nodes/one',
};

let server: Served;

/** Answers as a gateway without a route and as a Prometheus without samples. */
beforeAll(async () => {
  server = await serve((request, response) => {
    if (request.url?.startsWith('/api/v1/query') !== true) return response.writeHead(404).end();
    const data = { resultType: 'matrix', result: [] };
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: 'success', data }));
  });
});

afterAll(() => server.close());

function gateway(name = 'gateway', change: { from?: string; hostname?: string } = {}): object {
  const { from = 'All', hostname } = change;
  const allowedRoutes = { namespaces: { from } };
  const listener = { name: 'http', protocol: 'HTTP', port: server.port, allowedRoutes };
  return {
    metadata: { name, namespace: 'infra' },
    spec: { listeners: [hostname === undefined ? listener : { ...listener, hostname }] },
    status: { addresses: [{ value: '127.0.0.1' }] },
  };
}

function source(name = 'prometheus', spec: object = { default: true }): object {
  return { metadata: { name }, spec: { prometheus: { address: server.url }, ...spec } };
}

/** A cluster on which Serin runs and a demo can be played. */
function clusterOn(): Trial {
  const made = trial();
  const { api, clock } = made;
  api.put(paths.gateway, gateway());
  api.put(paths.source, source());
  api.put(paths.operator, {
    metadata: { name: 'serin', namespace: 'serin-system', labels: { 'app.kubernetes.io/part-of': 'serin' } },
    spec: { template: { spec: { containers: [{ name: 'serin', image: 'registry.example.com/serin:0.1.0' }] } } },
    status: { availableReplicas: 2 },
  });
  const renewTime = new Date(clock.nowMs() - 3_000).toISOString();
  api.put(paths.lease, { metadata: { name: 'serin' }, spec: { holderIdentity: 'serin-one', renewTime } });
  api.respond = ({ path }) => (path === paths.token ? { status: { token: 'token-of-serin' } } : undefined);
  return made;
}

function look({ api, clock }: Trial, wishes: Wishes = {}) {
  return lookAround(new KubeClient({ transport: api }), clock, wishes);
}

describe('a cluster with all that a demo needs', () => {
  test('is used as it is, and nothing is written', async () => {
    const made = clusterOn();
    expect(await look(made)).toEqual({
      gateway: { name: 'gateway', namespace: 'infra' },
      address: `http://127.0.0.1:${server.port}`,
      domain: 'example.com',
      source: 'prometheus',
      image: expect.objectContaining({ image: 'registry.example.com/serin:0.1.0', args: ['demo', '--serve'] }),
      operatorToken: undefined,
    });
    expect(made.api.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('without a living operator is lent one, under the account of Serin', async () => {
    const made = clusterOn();
    const renewTime = new Date(made.clock.nowMs() - 600_000).toISOString();
    made.api.put(paths.lease, { metadata: { name: 'serin' }, spec: { holderIdentity: 'serin-one', renewTime } });
    expect(await look(made)).toMatchObject({ operatorToken: 'token-of-serin' });
  });

  test('takes what was wished for', async () => {
    const made = clusterOn();
    made.api.put(`${paths.gateway}-b`, gateway('gateway-b', { hostname: '*.shop.test' }));
    made.api.put(`${paths.source}-b`, source('prometheus-b', {}));
    const wishes = { gateway: 'infra/gateway-b', metricSource: 'prometheus-b', image: 'mine:1', address: server.url };
    expect(await look(made, wishes)).toMatchObject({
      gateway: { name: 'gateway-b' },
      domain: 'shop.test',
      source: 'prometheus-b',
      image: { image: 'mine:1' },
      address: server.url,
    });
  });

  test('may be the test cluster, whose nodes have an image for this', async () => {
    const made = clusterOn();
    made.api.objects.delete(paths.operator);
    made.api.put(paths.node, {
      metadata: { name: 'one' },
      status: { images: [{ names: ['serin.test/workload:v1'] }] },
    });
    expect(await look(made)).toMatchObject({ image: { image: 'serin.test/workload:v1' } });
  });
});

function unknown(plural: string) {
  return (made: Trial): void => {
    made.api.before = (request) => {
      if (request.path.endsWith(`/${plural}`))
        throw refusal(request, 'NotFound', 404, 'could not find the requested resource');
    };
  };
}

describe('one sentence says', () => {
  test.each<[string, (made: Trial) => void, Wishes, string]>([
    ['that Serin is not installed', unknown('metricsources'), {}, 'install.yaml'],
    ['that there is no metric source', ({ api }) => void api.objects.delete(paths.source), {}, 'metric-source.yaml'],
    ['which metric sources there are', () => undefined, { metricSource: 'other' }, 'there are: prometheus'],
    [
      'that several metric sources are there',
      ({ api }) => {
        api.put(paths.source, source('prometheus', {}));
        api.put(`${paths.source}-b`, source('prometheus-b', {}));
      },
      {},
      '--metric-source',
    ],
    [
      'that the metric source is no Prometheus',
      ({ api }) => api.put(paths.source, source('prometheus', { prometheus: { address: `${server.url}/elsewhere` } })),
      {},
      'MetricSource prometheus',
    ],
    ['that there is no Gateway API', unknown('gateways'), {}, 'does not know the Gateway API'],
    ['that there is no Gateway', ({ api }) => void api.objects.delete(paths.gateway), {}, 'has no Gateway'],
    ['which Gateways there are', () => undefined, { gateway: 'infra/other' }, 'there are 1: infra/gateway'],
    [
      'that several Gateways are there',
      ({ api }) => api.put(`${paths.gateway}-b`, gateway('gateway-b')),
      {},
      'there are 2: infra/gateway, infra/gateway-b',
    ],
    [
      'that the Gateway is for others',
      ({ api }) => api.put(paths.gateway, gateway('gateway', { from: 'Same' })),
      {},
      'takes routes of every namespace',
    ],
    [
      'that the Gateway has no address',
      ({ api }) => api.put(paths.gateway, { ...gateway(), status: {} }),
      {},
      'no address in its status',
    ],
    ['that the Gateway does not answer', () => undefined, { address: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
    ['that no image is known', ({ api }) => void api.objects.delete(paths.operator), {}, '--image'],
    [
      'that nobody may run an operator',
      ({ api }) => {
        api.objects.delete(paths.lease);
        api.respond = (request) => {
          if (request.path === paths.token) throw refusal(request, 'Forbidden', 403, 'no');
          return undefined;
        };
      },
      {},
      'you may not run one in its place',
    ],
  ])('%s', async (_, spoil, wishes, words) => {
    const made = clusterOn();
    spoil(made);
    const looking = look(made, wishes);
    await expect(looking).rejects.toThrow(Missing);
    await expect(looking).rejects.toThrow(words);
    expect(made.api.requests.filter(({ method, path }) => method !== 'GET' && path !== paths.token)).toEqual([]);
  });
});
