// How long the requests of a window took: of warm pods, by the same scrapes as the counts, and the same whoever restarts when.
import * as fc from 'fast-check';
import type { Window } from '../analysis/engine.ts';
import { type KnownPod, pictureOf } from './picture.ts';
import { appPreset } from './presets/app.ts';
import { traefikPreset } from './presets/traefik.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import { type Ledger, cutWindows, openLedger } from './windows.ts';

const startMs = 1_000_000_000;
const beganMs = startMs + 120_000;
const backends = { namespace: 'shop', canaryService: 'shop-canary', stableService: 'shop', port: 80 };

/** Two pods of each version; the canary's start with the attempt, two minutes after stable's. */
function fleet(seed: number, seconds: number, slowness = { canary: 1, stable: 1 }): SimulatedFleet {
  const world = new SimulatedFleet(startMs, seed);
  world.addPod('old-0', 'stable', 0.1);
  world.addPod('old-1', 'stable', 0.6);
  world.traffic = { perSecond: 60, canaryWeight: 0, errorRates: { canary: 0, stable: 0.01 }, slowness };
  world.advance(beganMs - startMs);
  world.addPod('new-0', 'canary', 0.3);
  world.addPod('new-1', 'canary', 0.8);
  world.traffic = { ...world.traffic, canaryWeight: 0.3, errorRates: { canary: 0.05, stable: 0.01 } };
  world.advance(seconds * 1000);
  return world;
}

function podsOf(world: SimulatedFleet): ReadonlyMap<string, KnownPod> {
  return new Map(
    world.pods.map(({ name, version, startedAtMs, endedAtMs }) => [
      name,
      { name, arm: version, startedAtMs, isLive: endedAtMs === undefined },
    ]),
  );
}

type View = 'pods' | 'gateway';

/** As an operator that asks at `nowMs`, and reads no further back than it has to. */
function look(world: SimulatedFleet, view: View, ledger: Ledger, nowMs: number) {
  const pods = podsOf(world);
  const preset =
    view === 'gateway'
      ? traefikPreset(backends, true)
      : appPreset('shop', [...pods.keys()], (pod) => pods.get(pod)?.arm, true);
  const oldestMs = Math.min(beganMs, ledger.cutMs ?? beganMs) - 60_000;
  const series = world
    .answer(preset.selectors[0] ?? '', world.nowMs - oldestMs)
    .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ atMs }) => atMs <= nowMs) }));
  const { targets } = pictureOf(series, preset, pods, undefined, ledger.countedMs);
  return cutWindows(ledger, {
    targets,
    intervalMs: 5_000,
    fromMs: oldestMs,
    nowMs,
    needsStable: true,
    pods: [...pods.values()].filter(({ isLive }) => isLive),
  });
}

function windowsOf(world: SimulatedFleet, view: View): readonly Window[] {
  return look(world, view, openLedger(beganMs), world.nowMs).windows;
}

const total = (counts: readonly number[] = []) => counts.reduce((sum, count) => sum + count, 0);
const measured = (windows: readonly Window[], arm: 'canary' | 'stable') =>
  windows.reduce((sum, { latency }) => sum + total(latency?.[arm].counts), 0);
const succeeded = (windows: readonly Window[], arm: 'canary' | 'stable') =>
  windows.reduce((sum, window) => sum + window[arm].requests - window[arm].errors, 0);

describe('the time that requests took', () => {
  test.each<View>(['pods', 'gateway'])(
    'is that of the requests that are counted and did not fail, each once: %s',
    (view) => {
      const windows = windowsOf(fleet(1, 180), view).filter(({ startMs: sinceMs }) => sinceMs >= beganMs + 75_000);
      expect(windows.length).toBeGreaterThan(15);
      for (const arm of ['canary', 'stable'] as const) {
        expect(measured(windows, arm)).toBe(succeeded(windows, arm));
        expect(measured(windows, arm)).toBeGreaterThan(500);
      }
      const [first] = windows;
      expect(first?.latency?.canary.upperBounds).toEqual(
        view === 'pods' ? [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, Infinity] : [0.1, 0.3, 1.2, 5, Infinity],
      );
    },
  );

  test.each<View>(['pods', 'gateway'])(
    'is left out until the new pods are a minute old, and their errors are not: %s',
    (view) => {
      const windows = windowsOf(fleet(2, 120), view);
      const young = windows.filter(({ endMs }) => endMs <= beganMs + 60_000);
      expect(young.length).toBeGreaterThan(8);
      expect(measured(young, 'canary')).toBe(0);
      expect(young.reduce((sum, { canary }) => sum + canary.errors, 0)).toBeGreaterThan(20);
      const later = windows.filter(({ endMs }) => endMs > beganMs + 60_000);
      expect(measured(later, 'canary')).toBeLessThan(succeeded(later, 'canary'));
      expect(measured(later, 'canary')).toBeGreaterThan(0);
    },
  );

  test('of the gateway counts on when few of many pods are young', () => {
    const world = fleet(3, 70);
    for (let index = 2; index < 14; index += 1) world.addPod(`old-${index}`, 'stable', index / 14);
    world.advance(70_000);
    world.addPod('old-14', 'stable', 0.5);
    world.advance(30_000);
    const windows = windowsOf(world, 'gateway').filter(({ endMs }) => endMs > world.nowMs - 25_000);
    expect(windows.length).toBeGreaterThan(3);
    expect(windows.every(({ latency }) => latency !== undefined)).toBe(true);
  });

  test('is told apart by groups of canary pods', () => {
    const windows = windowsOf(fleet(4, 150), 'pods');
    const groups = [0, 1].map((group) =>
      windows.reduce((sum, { latency }) => sum + total(latency?.canaryGroups[group]?.counts), 0),
    );
    expect(Math.min(...groups)).toBeGreaterThan(100);
    expect(total(groups)).toBe(measured(windows, 'canary'));
  });

  test('is that of both versions: one that is twice as slow shows it', () => {
    const windows = windowsOf(fleet(5, 180, { canary: 2, stable: 1 }), 'pods');
    const shareAbove = (arm: 'canary' | 'stable') => {
      const counts = windows.map(({ latency }) => latency?.[arm].counts ?? []);
      return total(counts.map((one) => total(one.slice(4)))) / total(counts.map(total));
    };
    expect(shareAbove('stable')).toBeLessThan(0.15);
    expect(shareAbove('canary')).toBeGreaterThan(0.4);
  });

  test('is not there where nobody measures it', () => {
    const world = new SimulatedFleet(startMs, 1);
    world.addPod('old-0', 'stable', 0.1);
    world.addPod('new-0', 'canary', 0.4);
    world.traffic = { perSecond: 60, canaryWeight: 0.3, errorRates: { canary: 0, stable: 0 } };
    world.advance(240_000);
    const windows = windowsOf(world, 'pods');
    expect(windows.length).toBeGreaterThan(10);
    expect(windows.some(({ latency }) => latency !== undefined)).toBe(false);
  });
});

test('an operator that is restarted at any moments, any number of times, cuts the same windows', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(fc.integer({ min: 1, max: 149 }), { maxLength: 12 }),
      fc.constantFrom<View>('pods', 'gateway'),
      fc.option(fc.integer({ min: 10, max: 140 })),
      (seed, restarts, view, resetAt) => {
        const world = fleet(seed, resetAt ?? 75);
        if (resetAt !== null) world.resetPod('new-1');
        world.advance((150 - (resetAt ?? 75)) * 1000);
        const moments = [...new Set([...restarts, 150])].toSorted((one, other) => one - other);
        let ledger = openLedger(beganMs);
        const piecewise = moments.flatMap((second) => {
          const cut = look(world, view, ledger, beganMs + second * 1000);
          ledger = saved(cut.ledger);
          return cut.windows;
        });
        expect(piecewise).toEqual(windowsOf(world, view));
        expect(piecewise.some(({ latency }) => latency !== undefined)).toBe(true);
      },
    ),
    { numRuns: 12 },
  );
});

/** Through JSON, as through status. */
function saved(ledger: Ledger): Ledger {
  const text = JSON.stringify({ ...ledger, countedMs: [...ledger.countedMs], groups: [...ledger.groups] });
  const { countedMs, groups, ...rest } = JSON.parse(text) as Ledger & { countedMs: []; groups: [] };
  return { ...rest, cutMs: rest.cutMs, countedMs: new Map(countedMs), groups: new Map(groups) };
}
