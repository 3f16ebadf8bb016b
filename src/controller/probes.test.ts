import { createMetrics } from '../insight/metrics.ts';
import { type Probes, serveProbes } from './probes.ts';

let probes: Probes | undefined;

afterEach(() => probes?.close());

async function serve(state: { ailments?: string[]; unready?: string[] } = {}) {
  const { registry } = createMetrics();
  probes = await serveProbes({
    address: '127.0.0.1:0',
    registry,
    sample: () => undefined,
    ailments: () => state.ailments ?? [],
    unready: () => state.unready ?? [],
  });
  const { port } = probes;
  return async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return { status: answer.status, text: await answer.text() };
  };
}

test('a process that works is alive and ready', async () => {
  const get = await serve();
  expect(await get('/livez')).toEqual({ status: 200, text: 'ok\n' });
  expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
});

test('what is wrong is said', async () => {
  const get = await serve({ ailments: ['watch of pods: ended'], unready: ['pods were not listed yet'] });
  expect(await get('/livez')).toEqual({ status: 503, text: 'watch of pods: ended\n' });
  expect(await get('/readyz')).toEqual({ status: 503, text: 'pods were not listed yet\n' });
});

test('every series that can be named in advance is there with 0', async () => {
  const get = await serve();
  const { text } = await get('/metrics');
  expect(text).toContain('serin_releases_total{outcome="RolledBack"} 0');
  expect(text).toContain('serin_rollout_phase{phase="Braked"} 0');
  expect(text).toContain('serin_effect_errors_total{effect="handOver"} 0');
  expect(text).toContain('serin_write_conflicts_total 0');
  expect(text).toContain('serin_events_dropped_total 0');
});

test('nothing else is there, and nothing can be written', async () => {
  const get = await serve();
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics', 'POST')).status).toBe(405);
});

test('an address that is none is refused with the form it has', async () => {
  const options = {
    registry: createMetrics().registry,
    sample: () => undefined,
    ailments: () => [],
    unready: () => [],
  };
  await expect(serveProbes({ ...options, address: '9797' })).rejects.toThrow('write :9797');
});
