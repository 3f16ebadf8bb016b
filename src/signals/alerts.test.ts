import type { Answer } from '../analysis/answer.ts';
import { AlertReader, type WatchedAlert } from './alerts.ts';
import { type Fetched, down } from './fetched.ts';
import { type NamedAlert, alertsIn, mostAlerts } from './firing-alerts.ts';

type Labels = Readonly<Record<string, string>>;

const errors = { alertname: 'HighErrorRate', alertstate: 'firing', service: 'checkout', severity: 'page' };
const slow = { alertname: 'Slow', alertstate: 'firing', severity: 'page' };
const waiting: Answer = { kind: 'noEvidence', reason: 'waiting', sentence: 'Waiting.' };
const page: WatchedAlert = { matching: '{severity="page"}', do: 'rollback', alsoIfBefore: false };

const found = (all: readonly Labels[]): Fetched<readonly NamedAlert[]> =>
  alertsIn({ status: 'success', data: { resultType: 'vector', result: all.map((metric) => ({ metric })) } }, 'main');

/** A source with alerts, and an attempt that began at second 1000; looks are five seconds apart. */
function world({ watched = [page], atBegin = [] as readonly Labels[], firing = [] as readonly Labels[] } = {}) {
  const beganAtMs = 1_000_000;
  const state = { nowMs: beganAtMs, firing, isDown: false, hasTraffic: true, asked: [] as string[] };
  let reader = new AlertReader({ watched, beganAtMs });
  const ask = async (query: string, atMs?: number): Promise<Fetched<readonly NamedAlert[]>> => {
    state.asked.push(query);
    if (state.isDown) return down('MetricSource main is not available (503).');
    if (atMs !== undefined && atMs !== beganAtMs) throw new Error('asked of another moment');
    return found(atMs === undefined ? state.firing : atBegin);
  };
  return {
    state,
    looks: async (count: number, all: readonly Labels[] = state.firing) => {
      state.firing = all;
      for (let index = 0; index < count; index += 1) {
        state.nowMs = Math.max(state.nowMs + 5_000, reader.dueMs === Infinity ? 0 : reader.dueMs);
        await reader.look(ask, () => state.nowMs, state.hasTraffic, { namespace: 'shop', namespaceLabel: undefined });
      }
    },
    /** Through JSON, as through status. */
    restart: ({ forgetting = false } = {}) =>
      (reader = new AlertReader({
        watched,
        beganAtMs,
        ...(forgetting ? {} : { saved: JSON.parse(JSON.stringify(reader.saved ?? null)) as unknown }),
      })),
    firing: () => reader.firing(state.nowMs),
    does: () => reader.firing(state.nowMs).map((alert) => alert.do),
    said: () => (reader.addTo(waiting) as { sentence: string }).sentence,
    saved: () => JSON.stringify(reader.saved),
  };
}

test('an alert that begins to fire is named with its labels, and since when', async () => {
  const { looks, firing } = world();
  await looks(1);
  expect(firing()).toEqual([]);
  await looks(9, [errors]);
  expect(firing()).toEqual([
    {
      do: 'rollback',
      sentence: 'alert HighErrorRate (severity=page, service=checkout) has fired for 40s',
      firingForMs: 40_000,
    },
  ]);
});

test('it holds at once, and turns back only when it fires in two looks in a row', async () => {
  const { looks, does } = world();
  await looks(1);
  await looks(1, [errors]);
  expect(does()).toEqual(['hold']);
  await looks(1, []);
  expect(does()).toEqual([]);
  await looks(1, [errors]);
  expect(does()).toEqual(['hold']);
  await looks(1);
  expect(does()).toEqual(['rollback']);
});

test('two looks between which nobody could look are not in a row', async () => {
  const { looks, does, state } = world();
  await looks(1);
  await looks(1, [errors]);
  state.nowMs += 60_000;
  await looks(1);
  expect(does()).toEqual(['hold']);
});

test('one that only holds never does more', async () => {
  const { looks, does } = world({ watched: [{ ...page, do: 'hold' }] });
  await looks(1);
  await looks(20, [errors]);
  expect(does()).toEqual(['hold']);
});

describe('an alert that fired when the release began', () => {
  test('is not held against it, and people are told', async () => {
    const { looks, firing, said } = world({ atBegin: [errors], firing: [errors] });
    await looks(10);
    expect(firing()).toEqual([]);
    expect(said()).toBe(
      'Waiting. Alert HighErrorRate (severity=page, service=checkout) fired before this release began and is not held against it.',
    );
  });

  test('does not excuse another one, be it only of another service', async () => {
    const { looks, firing } = world({ atBegin: [errors], firing: [errors] });
    await looks(2);
    await looks(2, [errors, { ...errors, service: 'cart' }]);
    expect(firing().map(({ sentence }) => sentence)).toEqual([
      'alert HighErrorRate (severity=page, service=cart) has fired for less than 10s',
    ]);
  });

  test('counts when it had stopped and fires again', async () => {
    const { looks, does } = world({ atBegin: [errors], firing: [errors] });
    await looks(2);
    await looks(2, []);
    await looks(2, [errors]);
    expect(does()).toEqual(['rollback']);
  });

  test('has not stopped when it was missing for one look', async () => {
    const { looks, does } = world({ atBegin: [errors], firing: [errors] });
    await looks(2);
    await looks(1, []);
    await looks(5, [errors]);
    expect(does()).toEqual([]);
  });

  test('had stopped when it was never seen after the beginning', async () => {
    const { looks, does } = world({ atBegin: [errors], firing: [] });
    await looks(3);
    await looks(2, [errors]);
    expect(does()).toEqual(['rollback']);
  });

  test('counts where that is asked for', async () => {
    const { looks, firing } = world({
      watched: [{ ...page, alsoIfBefore: true }],
      atBegin: [errors],
      firing: [errors],
    });
    await looks(2);
    expect(firing()).toMatchObject([
      {
        do: 'rollback',
        sentence: 'alert HighErrorRate (severity=page, service=checkout) has fired since before this release began',
      },
    ]);
  });

  test('is remembered by the next operator, and one that forgot it asks for that moment again', async () => {
    for (const forgetting of [false, true]) {
      const { looks, does, restart } = world({ atBegin: [errors], firing: [errors] });
      await looks(3);
      restart({ forgetting });
      await looks(5);
      expect(does()).toEqual([]);
      await looks(2, []);
      restart({ forgetting: false });
      await looks(2, [errors]);
      expect(does()).toEqual(['rollback']);
    }
  });

  test('is also what the first look finds before the first request, as after an outage at the beginning', async () => {
    const { looks, does, state } = world({ firing: [errors] });
    Object.assign(state, { isDown: true, hasTraffic: false });
    await looks(3);
    state.isDown = false;
    await looks(1);
    state.hasTraffic = true;
    await looks(5);
    expect(does()).toEqual([]);
  });
});

describe('a restart of the operator', () => {
  test('keeps since when an alert fires, and waits for two looks of its own', async () => {
    const { looks, does, firing, restart } = world();
    await looks(1);
    await looks(4, [errors]);
    restart();
    expect(firing()).toEqual([]);
    await looks(1);
    expect(does()).toEqual(['hold']);
    await looks(1);
    expect(firing()).toMatchObject([{ do: 'rollback', firingForMs: 25_000 }]);
  });

  test('writes nothing down while nothing changes', async () => {
    const { looks, saved } = world({ atBegin: [slow], firing: [slow] });
    await looks(2);
    const before = saved();
    await looks(20);
    expect(saved()).toBe(before);
  });

  test('begins anew on memory that somebody has edited', async () => {
    for (const saved of [7, 'x', [null, 3, { of: page.matching }, { of: page.matching, before: [4], fires: [[1]] }]]) {
      const reader = new AlertReader({ watched: [page], beganAtMs: 0, saved });
      await reader.look(
        async () => found([errors]),
        () => 1_000,
        true,
        { namespace: 'shop', namespaceLabel: undefined },
      );
      expect(reader.firing(1_000)).toHaveLength(0);
    }
  });
});

describe('silence', () => {
  test('is no verdict: what was seen before it counts for half a minute and not longer', async () => {
    const { looks, does, state } = world();
    await looks(1);
    await looks(3, [errors]);
    state.isDown = true;
    await looks(2);
    expect(does()).toEqual(['rollback']);
    await looks(8);
    expect(does()).toEqual([]);
  });

  test('of a source excuses nothing and stops nothing', async () => {
    const { looks, does, state } = world({ atBegin: [errors], firing: [errors] });
    await looks(2);
    state.isDown = true;
    await looks(30);
    state.isDown = false;
    await looks(5);
    expect(does()).toEqual([]);
  });

  test('is said when it lasts', async () => {
    const { looks, said, state } = world();
    state.isDown = true;
    await looks(2);
    expect(said()).toBe('Waiting.');
    await looks(1);
    expect(said()).toBe(
      'Waiting. Alerts matching {severity="page"} are not seen: MetricSource main is not available (503).',
    );
    state.isDown = false;
    await looks(1);
    expect(said()).toBe('Waiting.');
  });

  test('keeps to the pause that the source asks for', async () => {
    const reader = new AlertReader({ watched: [page], beganAtMs: 0 });
    await reader.look(
      async () => down('busy', 20_000),
      () => 1_000,
      true,
      { namespace: 'shop', namespaceLabel: undefined },
    );
    expect(reader.dueMs).toBe(21_000);
  });
});

test('matchers that cannot be asked are never asked, and said at once', async () => {
  const { looks, said, does, state } = world({ watched: [{ ...page, matching: 'up{a="b"}' }], firing: [errors] });
  await looks(2);
  expect(does()).toEqual([]);
  expect(state.asked).toEqual([]);
  expect(said()).toContain('Alerts matching up{a="b"} are not seen: Serin does not ask for them: it names a series');
});

test('more alerts than can be told apart count for nothing', async () => {
  const many = Array.from({ length: mostAlerts + 1 }, (_, index) => ({ ...errors, pod: String(index) }));
  const { looks, said, does } = world({ firing: many });
  await looks(3);
  expect(does()).toEqual([]);
  expect(said()).toContain(`more than ${mostAlerts} alerts fire`);
});

test('an alert that two kinds of matchers name is said once, with the graver answer', async () => {
  const { looks, firing } = world({ watched: [{ ...page, do: 'hold', matching: '{service="checkout"}' }, page] });
  await looks(1);
  await looks(3, [errors]);
  expect(firing()).toMatchObject([{ do: 'rollback' }]);
});

test('what labels say is shortened for people, and told apart all the same', async () => {
  const { looks, firing } = world();
  const long = { ...errors, a: 'x'.repeat(500), b: 'token=abc123', c: 'line\nbreak' };
  await looks(1);
  await looks(2, [
    { ...long, z: '1' },
    { ...long, z: '2' },
  ]);
  const [first] = firing();
  expect(first?.sentence).toMatch(
    /^alert HighErrorRate \(severity=page, service=checkout, a=x{60}…, b=token=\*\*\*, …\) /,
  );
  const { looks: again, firing: both } = world();
  await again(1);
  await again(2, [errors, { ...errors, service: 'cart' }]);
  expect(both()).toHaveLength(2);
});

test('without alerts nothing is ever due, said or written down', () => {
  const reader = new AlertReader(undefined);
  expect([reader.dueMs, reader.saved, reader.firing(0)]).toEqual([Infinity, undefined, []]);
  expect(reader.addTo(waiting)).toBe(waiting);
});
