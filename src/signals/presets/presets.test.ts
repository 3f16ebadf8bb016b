import { appPreset } from './app.ts';
import { countersPreset } from './counters.ts';
import { traefikPreset, traefikService } from './traefik.ts';

const armOf = (pod: string) => (pod === 'shop-new-1' ? 'canary' : pod === 'shop-old-1' ? 'stable' : undefined);
const app = appPreset('shop', ['shop-new-1', 'shop-old-1'], armOf);
const base = {
  __name__: 'http_requests_total',
  namespace: 'shop',
  pod: 'shop-new-1',
  job: 'pods',
  instance: '10.0.0.1:8080',
};

describe('the counters of the pods', () => {
  test('are asked for by the names of the pods, never by a pattern', () => {
    expect(app.selectors).toEqual([
      '{__name__=~"http_requests_total|http_server_request_duration_seconds_count|up",namespace="shop",pod=~"shop-new-1|shop-old-1"}',
      // Only where the first finds no requests.
      '{__name__=~"http_request_duration_seconds_count|http_server_requests_seconds_count|http_server_duration_milliseconds_count|http_request_duration_milliseconds_count|up",namespace="shop",pod=~"shop-new-1|shop-old-1"}',
    ]);
    expect(appPreset('shop', ['a.b-1'], armOf).selectors[0]).toContain('pod=~"a\\\\.b-1"');
  });

  test('are not asked for while no pod is known: the selector would mean every series without a pod', () => {
    expect(appPreset('shop', [], armOf).selectors).toEqual([]);
  });

  test.each([
    [{ code: '500' }, true],
    [{ status: '503' }, true],
    [{ status_code: '5xx' }, true],
    [{ code: '200' }, false],
    [{ code: '404' }, false],
  ])('fail by their status %j: %s', (status, isBad) => {
    expect(app.place({ ...base, ...status })).toMatchObject({ kind: 'requests', arm: 'canary', isBad });
  });

  test('of OpenTelemetry are read too', () => {
    const labels = {
      ...base,
      __name__: 'http_server_request_duration_seconds_count',
      http_response_status_code: '502',
      pod: 'shop-old-1',
    };
    expect(app.place(labels)).toMatchObject({ kind: 'requests', arm: 'stable', isBad: true });
  });

  test('without a status, of other pods or of probes are left out', () => {
    expect(app.place(base)).toEqual({ kind: 'foreign' });
    expect(app.place({ ...base, code: 'timeout' })).toEqual({ kind: 'foreign' });
    expect(app.place({ ...base, code: '200', pod: 'cart-1' })).toEqual({ kind: 'foreign' });
    expect(app.place({ ...base, code: '200', path: '/healthz' })).toEqual({ kind: 'foreign' });
    expect(app.place({ ...base, code: '200', handler: '/readyz' })).toEqual({ kind: 'foreign' });
    expect(app.place({ ...base, code: '200', path: '/health-insurance' })).toMatchObject({ kind: 'requests' });
  });

  test('are known to be scraped by their target being up', () => {
    expect(app.place({ ...base, __name__: 'up' })).toMatchObject({ kind: 'heartbeat', target: { pod: 'shop-new-1' } });
  });
});

describe("Traefik's counters", () => {
  const backends = { namespace: 'shop', canaryService: 'cart-canary', stableService: 'cart', port: 80 };
  const preset = traefikPreset(backends);
  const labels = { __name__: 'traefik_service_requests_total', job: 'traefik', instance: 'gw:9100', code: '500' };
  const of = (service: string) => preset.place({ ...labels, service });

  test('name a backend by namespace, Service and port', () => {
    expect(traefikService(backends, 'cart')).toBe('shop-cart-http-80@kubernetesgateway');
    expect(traefikService({ ...backends, namespace: 'team--a' }, 'cart')).toBe('team-a-cart-http-80@kubernetesgateway');
  });

  test("are those of the canary Service and of the user's own, and of no other", () => {
    expect(of('shop-cart-canary-http-80@kubernetesgateway')).toMatchObject({ arm: 'canary', isBad: true });
    expect(of('shop-cart-http-80@kubernetesgateway')).toMatchObject({ arm: 'stable', isBad: true });
    expect(of('shop-cart-http-81@kubernetesgateway')).toEqual({ kind: 'foreign' });
  });

  test('are found also where a ServiceMonitor has put its own label over theirs', () => {
    const service = 'shop-cart-canary-http-80@kubernetesgateway';
    expect(preset.selectors[1]).toContain('exported_service=~');
    expect(preset.place({ ...labels, service: 'traefik', exported_service: service })).toMatchObject({ arm: 'canary' });
  });
});

describe('counters that a user named', () => {
  const arms = { namespace: 'shop', pods: ['shop-new-1', 'shop-old-1'], armOf };
  const pair = { name: 'orders', bad: "orders_failed_total{reason=~'stock|price'}", total: 'orders_total' };
  const read = countersPreset(pair, arms);
  const preset = read.kind === 'preset' ? read.preset : undefined;

  test('are read of the pods of both versions only', () => {
    expect(preset?.selectors).toEqual(['orders_total{namespace="shop",pod=~"shop-new-1|shop-old-1"}']);
    expect(preset?.second).toBe(
      'orders_failed_total{reason=~"stock|price",namespace="shop",pod=~"shop-new-1|shop-old-1"}',
    );
  });

  test('are confined by the label that the platform team chose', () => {
    const other = countersPreset(pair, arms, 'k8s_namespace');
    expect(other.kind === 'preset' && other.preset.second).toContain('k8s_namespace="shop"');
  });

  test('are not asked for while no pod is known', () => {
    const none = countersPreset(pair, { ...arms, pods: [] });
    expect(none.kind === 'preset' && none.preset.selectors).toEqual([]);
  });

  test('count what fails among all of them, and nothing of other pods', () => {
    const labels = { ...base, __name__: 'orders_total' };
    expect(preset?.place(labels)).toMatchObject({ arm: 'canary', isBad: false, counts: 'requests' });
    expect(preset?.place({ ...labels, __name__: 'orders_failed_total' }, true)).toMatchObject({
      arm: 'canary',
      isBad: true,
      counts: 'failuresOnly',
    });
    expect(preset?.place({ ...labels, pod: 'cart-1' })).toEqual({ kind: 'foreign' });
  });

  test.each([
    ['bad', 'rate(orders_failed_total[5m])'],
    ['bad', 'orders_failed_total[5m]'],
    ['bad', 'orders_failed_total or up'],
    ['bad', '{reason="stock"}'],
    ['total', 'sum(orders_total)'],
    ['total', 'orders_total offset 5m'],
    ['total', 'orders_total{'],
  ])('are refused where %s is no plain counter: %s', (field, text) => {
    expect(countersPreset({ ...pair, [field]: text }, arms)).toEqual({
      kind: 'refused',
      sentence: expect.stringContaining(`Query orders: ${field} is no plain counter: ${text}`),
    });
  });
});
