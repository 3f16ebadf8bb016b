import type { Service } from '../traffic/objects.ts';
import type { Pod } from '../workload/objects.ts';
import { podsToAsk, targetPortOf } from './check-pods.ts';

interface Wishes {
  readonly name?: string;
  readonly podIP?: string;
  readonly ready?: 'True' | 'False';
  readonly spec?: object;
  readonly metadata?: object;
}

function pod({ name = 'a', podIP = '10.0.0.7', ready = 'True', spec = {}, metadata = {} }: Wishes = {}): Pod {
  const containers = [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, resourceVersion: '1', ...metadata },
    spec: { containers, ...spec },
    status: { podIP, conditions: [{ type: 'Ready', status: ready }] },
  };
}

test('a ready pod is asked at its own address, on a number or on a port of a container by name', () => {
  expect(podsToAsk([pod()], 9090)).toEqual([{ name: 'a', address: '10.0.0.7', port: 9090 }]);
  expect(podsToAsk([pod()], 'http')).toEqual([{ name: 'a', address: '10.0.0.7', port: 8080 }]);
  expect(podsToAsk([pod()], 'grpc')).toEqual([]);
});

test('a sidecar is a container too', () => {
  const initContainers = [
    { name: 'proxy', restartPolicy: 'Always', ports: [{ name: 'proxy', containerPort: 15_001 }] },
  ];
  expect(podsToAsk([pod({ spec: { initContainers, containers: [{ name: 'app' }] } })], 'proxy')).toMatchObject([
    { port: 15_001 },
  ]);
});

test('three are enough, in the order of their names', () => {
  const names = ['d', 'b', 'a', 'c'].map((name) => pod({ name }));
  expect(podsToAsk(names, 80).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test.each([
  ['is not ready', pod({ ready: 'False' })],
  ['is ending', pod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
  ['is on the network of its node', pod({ spec: { hostNetwork: true, containers: [{ name: 'app' }] } })],
  ['has no address yet', pod({ podIP: '' })],
])('a pod that %s is not asked', (_why, one) => {
  expect(podsToAsk([one], 80)).toEqual([]);
});

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '169.254.169.254',
  '224.0.0.1',
  '::1',
  '::',
  'fe80::1',
  'ff02::1',
  'metadata',
  '::ffff:127.0.0.1',
])('no pod has the address %s, so it is not called', (podIP) => {
  expect(podsToAsk([pod({ podIP })], 80)).toEqual([]);
});

test('addresses of both families are called', () => {
  expect(podsToAsk([pod({ podIP: 'fd00:10:244::7' })], 80)).toHaveLength(1);
});

test('the port of a Service is the one that the routes name, else its first for TCP, else none', () => {
  const service = (ports: object[]) => ({ spec: { ports } }) as unknown as Service;
  const two = service([
    { name: 'metrics', port: 9090, targetPort: 'metrics' },
    { name: 'web', port: 80, targetPort: 8080 },
  ]);
  expect(targetPortOf(two, 80)).toBe(8080);
  expect(targetPortOf(two, undefined)).toBe('metrics');
  expect(targetPortOf(service([{ port: 53, protocol: 'UDP' }, { port: 80 }]), undefined)).toBe(80);
  expect(targetPortOf(service([]), 80)).toBeUndefined();
  expect(targetPortOf(undefined, 80)).toBeUndefined();
});
