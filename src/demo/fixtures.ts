/** Owns what the tests of this folder share: pods that listen, and waiting for real sockets without a real clock. */
import type { KubeObject } from '../kube/resources.ts';
import { endpoint, service, slice } from '../traffic/fixtures.ts';
import type { EndpointSlice, Service } from '../traffic/objects.ts';
import type { Pod } from '../workload/objects.ts';

/** Looks again and again, as often as sockets may have brought something. */
export async function eventually<T>(find: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 20_000; tries += 1) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('waited for something that did not come');
}

export function podOf(
  name: string,
  change: { metadata?: object; env?: Record<string, string>; podIP?: string } = {},
): Pod {
  const env = Object.entries(change.env ?? {}).map(([key, value]) => ({ name: key, value }));
  const container = { name: 'app', image: 'shop:v1', env, ports: [{ name: 'http', containerPort: 8080 }] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1', ...change.metadata },
    spec: { containers: [container] },
    ...(change.podIP === undefined ? {} : { status: { podIP: change.podIP } }),
  };
}

/** A Service with one slice that has these pod addresses, of port 8080. */
export function backendOf(name: string, addresses: readonly string[]): { service: Service; slice: EndpointSlice } {
  const endpoints = addresses.map((address) => ({ ...endpoint({ name: address }), addresses: [address] }));
  const made: KubeObject = { ...slice(endpoints, name), ports: [{ name: 'http', port: 8080 }] };
  return {
    service: service(name, { ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
    slice: { ...made, metadata: { ...made.metadata, name: `${name}-1`, uid: `uid-slice-${name}` } },
  };
}
