import type { Routed } from './routing.ts';
import { WeightLog } from './weights.ts';

function inForce(stable: number, canary?: number): readonly Routed[] {
  const backends = [
    { service: 'shop/checkout', weight: stable, endpoints: [] },
    ...(canary === undefined ? [] : [{ service: 'shop/checkout-canary', weight: canary, endpoints: [] }]),
  ];
  return [{ key: 'shop/checkout', hostnames: [], backends, unsupported: undefined, unresolved: [] }];
}

test('it remembers when the share of the canary changed, was lowered, and came to zero', () => {
  const log = new WeightLog('shop/checkout', 'shop/checkout-canary');
  log.note(inForce(1), 0);
  log.note(inForce(80, 20), 100);
  log.note(inForce(8, 2), 150);
  log.note(inForce(99, 1), 200);
  log.note(inForce(100, 0), 300);
  log.note([], 400);
  expect(log.moments).toEqual([
    { atMs: 100, canaryPercent: 20 },
    { atMs: 200, canaryPercent: 1 },
    { atMs: 300, canaryPercent: 0 },
  ]);
  expect(log.firstLoweringAfter(120)?.atMs).toBe(200);
  expect(log.firstZeroAfter(120)?.atMs).toBe(300);
  expect(log.firstZeroAfter(350)).toBeUndefined();
});
