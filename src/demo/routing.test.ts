import { backend, endpoint, route } from '../traffic/fixtures.ts';
import { backendOf } from './fixtures.ts';
import { parentIn, routed, routeFor } from './routing.ts';

const stable = backendOf('checkout', ['10.244.0.2', '10.244.0.1']);
const canary = backendOf('checkout-canary', ['10.244.0.3']);
const objects = { services: [stable.service, canary.service], slices: [stable.slice, canary.slice] };

test('a route becomes backends with their weights and the addresses of pods', () => {
  const seen = routed(route([{ backendRefs: [backend('checkout', 80), backend('checkout-canary', 20)] }]), objects);
  expect(seen.backends).toEqual([
    { service: 'shop/checkout', weight: 80, endpoints: ['10.244.0.1:8080', '10.244.0.2:8080'] },
    { service: 'shop/checkout-canary', weight: 20, endpoints: ['10.244.0.3:8080'] },
  ]);
  expect(seen).toMatchObject({ unsupported: undefined, unresolved: [] });
});

test('pods that are not ready get nothing, also while they still serve', () => {
  const ending = endpoint({ name: 'ending' }, { ready: false, serving: true, terminating: true });
  const slices = [{ ...stable.slice, endpoints: [{ ...ending, addresses: ['10.244.0.9'] }] }];
  const seen = routed(route([{ backendRefs: [backend('checkout')] }]), { ...objects, slices });
  expect(seen.backends[0]?.endpoints).toEqual([]);
});

test('a backend without a Service, or of another port, is named as unresolved', () => {
  const seen = routed(route([{ backendRefs: [backend('gone'), backend('checkout', 1, { port: 81 })] }]), objects);
  expect(seen.unresolved).toEqual(['gone', 'checkout']);
});

test('what the gateway cannot do is refused, never ignored', () => {
  const rule = { backendRefs: [backend('checkout')] };
  expect(routed(route([{ ...rule, filters: [] }]), objects).unsupported).toBe('rules with filters');
  expect(routed(route([rule, rule]), objects).unsupported).toBe('more than one rule');
  const matches = [{ path: { type: 'PathPrefix', value: '/' } }];
  expect(routed(route([{ ...rule, matches }]), objects).unsupported).toBeUndefined();
  expect(routed(route([{ ...rule, matches: [{ method: 'GET' }] }]), objects).unsupported).toBe('rules with matches');
});

test('the host decides which route answers', () => {
  const own = { ...route([]), spec: { hostnames: ['shop.example.com'], rules: [] } };
  const seen = [routed(own, objects)];
  expect(routeFor(seen, 'SHOP.example.com:80')).toBe(seen[0]);
  expect(routeFor(seen, 'other.example.com')).toBeUndefined();
});

test('a route belongs to the gateway that it names', () => {
  expect(parentIn(route([]), { name: 'gateway', namespace: 'infra' })).toBeDefined();
  expect(parentIn(route([]), { name: 'gateway', namespace: 'shop' })).toBeUndefined();
});
