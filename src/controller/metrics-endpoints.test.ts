import type { Pod } from '../workload/objects.ts';
import { metricsEndpoints } from './metrics-endpoints.ts';
import { createStores } from './stores.ts';

interface Given {
  readonly annotations?: Record<string, string>;
  readonly ports?: readonly object[];
  readonly spec?: object;
  readonly status?: object;
  readonly namespace?: string;
  readonly servicePort?: number | string;
}

function addressOf({
  annotations = {},
  ports = [],
  spec = {},
  status = {},
  namespace = 'shop',
  servicePort,
}: Given): string | undefined {
  const stores = createStores((error) => {
    throw error;
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'new-1',
      namespace,
      uid: 'p',
      resourceVersion: '1',
      annotations,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'new', uid: 'rs', controller: true }],
    },
    spec: { containers: [{ name: 'app', ports }], ...spec },
    status: { phase: 'Running', podIP: '10.0.0.1', ...status },
  } as unknown as Pod;
  stores.pods.replaceAll([pod]);
  const [target] = metricsEndpoints(stores, { namespace: 'shop', arm: 'canary', replicaSetUid: 'rs', servicePort });
  return target?.address;
}

describe('the metrics endpoint of a pod', () => {
  test.each<[string, Given, string]>([
    [
      'its annotations',
      {
        annotations: { 'prometheus.io/port': '9100', 'prometheus.io/path': '/m?x=1', 'prometheus.io/scheme': 'https' },
      },
      'https://10.0.0.1:9100/m?x=1',
    ],
    [
      'a port that is named metrics',
      {
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'metrics', containerPort: 9090 },
        ],
        servicePort: 80,
      },
      'http://10.0.0.1:9090/metrics',
    ],
    ['the target port of its Service', { servicePort: 8080 }, 'http://10.0.0.1:8080/metrics'],
    [
      'the name of that port',
      { ports: [{ name: 'http', containerPort: 8081 }], servicePort: 'http' },
      'http://10.0.0.1:8081/metrics',
    ],
    [
      'the port of its Service and its own path',
      { annotations: { 'prometheus.io/path': '/actuator/prometheus' }, servicePort: 8080 },
      'http://10.0.0.1:8080/actuator/prometheus',
    ],
    ['IPv6', { status: { podIP: 'fd00::5' }, servicePort: 8080 }, 'http://[fd00::5]:8080/metrics'],
  ])('is said by %s', (_, given, address) => expect(addressOf(given)).toBe(address));

  test.each<[string, Given]>([
    ['nothing says which', {}],
    ['it is on the network of its node', { spec: { hostNetwork: true }, servicePort: 80 }],
    ['it does not run', { status: { phase: 'Pending' }, servicePort: 80 }],
    ['it has no address', { status: { podIP: '' }, servicePort: 80 }],
    ['its address is a name', { status: { podIP: 'metadata.google.internal' }, servicePort: 80 }],
    ['its address is the metadata of a cloud', { status: { podIP: '169.254.169.254' }, servicePort: 80 }],
    ['its address is the operator itself', { status: { podIP: '127.0.0.1' }, servicePort: 80 }],
    ['it is in another namespace and only claims the ReplicaSet', { namespace: 'evil', servicePort: 80 }],
    ['it asks not to be scraped', { annotations: { 'prometheus.io/scrape': 'false' }, servicePort: 80 }],
    ['its port is none', { annotations: { 'prometheus.io/port': '80@evil:80' }, servicePort: 80 }],
    ['its port is too high', { annotations: { 'prometheus.io/port': '70000' }, servicePort: 80 }],
    ['its path is another address', { annotations: { 'prometheus.io/path': '@evil/metrics' }, servicePort: 80 }],
    ['its path breaks the line', { annotations: { 'prometheus.io/path': '/a\r\nHost: evil' }, servicePort: 80 }],
    ['its path has a fragment', { annotations: { 'prometheus.io/path': '/a#b' }, servicePort: 80 }],
    ['its scheme is another', { annotations: { 'prometheus.io/scheme': 'file' }, servicePort: 80 }],
  ])('is not read when %s', (_, given) => expect(addressOf(given)).toBeUndefined());

  test('stays on the pod, whatever its path looks like', () => {
    for (const path of ['//evil/x', '/\\evil', '/@evil', '/..//evil', '/:80'])
      expect(
        new URL(addressOf({ annotations: { 'prometheus.io/path': path }, servicePort: 80 }) ?? 'x:').hostname,
      ).toBe('10.0.0.1');
  });
});
