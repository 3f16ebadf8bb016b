import { Balancer } from './balance.ts';
import type { Routed } from './routing.ts';

function routeWith(weights: Record<string, number>, endpoints: readonly string[] = ['10.244.0.1:8080']): Routed {
  const backends = Object.entries(weights).map(([service, weight]) => ({ service, weight, endpoints }));
  return { key: 'shop/checkout', hostnames: [], backends, unsupported: undefined, unresolved: [] };
}

function picked(balancer: Balancer, route: Routed, times: number): (string | undefined)[] {
  return Array.from({ length: times }, () => balancer.backend(route)?.service);
}

test.each([
  [{ stable: 99, canary: 1 }, 1000, 10],
  [{ stable: 80, canary: 20 }, 1000, 200],
  [{ stable: 9999, canary: 1 }, 10_000, 1],
  [{ stable: 0, canary: 100 }, 500, 500],
  [{ stable: 100, canary: 0 }, 500, 0],
])('weights %j give the canary its exact share of %d requests', (weights, times, expected) => {
  const services = picked(new Balancer(), routeWith(weights), times);
  expect(services.filter((service) => service === 'canary')).toHaveLength(expected);
});

test('a share is spread over the time, not sent at once', () => {
  const services = picked(new Balancer(), routeWith({ stable: 75, canary: 25 }), 100);
  for (let start = 0; start < 100; start += 4)
    expect(services.slice(start, start + 4).filter((service) => service === 'canary')).toHaveLength(1);
});

test('pods that come and go do not bring a small share to a standstill', () => {
  const balancer = new Balancer();
  const routes = [routeWith({ stable: 99, canary: 1 }), routeWith({ stable: 99, canary: 1 }, ['10.244.0.2:8080'])];
  const services = Array.from({ length: 1000 }, (_, at) => balancer.backend(routes[at % 2] as Routed)?.service);
  expect(services.filter((service) => service === 'canary')).toHaveLength(10);
});

test('a route without any weight has no backend, and one without pods no endpoint', () => {
  const balancer = new Balancer();
  expect(balancer.backend(routeWith({ stable: 0 }))).toBeUndefined();
  expect(balancer.endpoint({ service: 'shop/checkout', weight: 1, endpoints: [] })).toBeUndefined();
});

test('pods of a Service take turns', () => {
  const balancer = new Balancer();
  const backend = { service: 'shop/checkout', weight: 1, endpoints: ['a', 'b', 'c'] };
  expect(Array.from({ length: 6 }, () => balancer.endpoint(backend))).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
});
