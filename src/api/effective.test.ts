import { effectiveSpec } from './effective.ts';
import { pinnedSpecSchema } from './pinned.ts';
import type { RolloutSpec } from './rollout.ts';

const minimal: RolloutSpec = {
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
  traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
};

test('a Rollout that names only its Deployment and its traffic gets the built-in strategy and analysis', () => {
  expect(effectiveSpec(minimal)).toEqual({
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
    traffic: {
      service: 'checkout',
      routes: [{ kind: 'HTTPRoute', name: 'checkout' }],
      alsoReachable: [],
      drainMs: 15_000,
    },
    strategy: {
      steps: [
        { weightPercent: 5, atLeastMs: 30_000 },
        { weightPercent: 25, atLeastMs: 30_000 },
        { weightPercent: 50, atLeastMs: 30_000 },
      ],
      bakeMs: 300_000,
      podsReadyWithinMs: 600_000,
      allowTwoVersions: false,
    },
    analysis: {
      mode: 'enforce',
      confidencePercent: 99.9,
      metrics: [{ kind: 'errors', tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' }],
      whenUnsure: { afterMs: 600_000, do: 'proceed' },
      onSourceDown: { afterMs: 300_000, do: 'hold' },
      alerts: [],
    },
    onAnomaly: [{ kind: 'rollback' }],
  });
});

const written: RolloutSpec = {
  targetRef: minimal.targetRef,
  traffic: { ...minimal.traffic, alsoReachable: ['internal'], settle: '3s', drain: '1m' },
  strategy: {
    steps: [
      { check: { requests: [{ path: '/healthz' }] } },
      { weight: 0.5, atLeast: '2m' },
      {
        check: {
          requests: [
            {
              path: '/cart',
              method: 'POST',
              headers: [{ name: 'X-Tenant', value: 'a' }],
              expect: { status: 302, body: '"items"', within: '500ms' },
            },
          ],
          within: '30s',
          port: 8080,
        },
      },
      { weight: 100 },
    ],
    bake: '1h',
    podsReadyWithin: '90s',
    allowTwoVersions: true,
  },
  analysis: {
    source: 'other',
    confidence: 95,
    mode: 'observe',
    metrics: [
      { errors: { tolerate: '5%', ruleOut: '3x' } },
      { latency: { threshold: '300ms', tolerate: '20%' } },
      { query: { name: 'conversion', bad: 'failed_total', total: 'started_total', ruleOut: '3x' } },
      { query: { name: 'queue-age', value: 'max(queue_age_seconds)', max: 0 } },
      { query: { name: 'workers', value: 'min(workers)', min: 2 } },
    ],
    whenUnsure: { after: '1m', do: 'hold' },
    onSourceDown: { after: '2m', do: 'rollback' },
  },
};

test('what a Rollout says wins over every default', () => {
  expect(effectiveSpec(written)).toEqual({
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
    traffic: {
      service: 'checkout',
      routes: [{ kind: 'HTTPRoute', name: 'checkout' }],
      alsoReachable: ['internal'],
      settleMs: 3_000,
      drainMs: 60_000,
    },
    strategy: {
      steps: [
        {
          weightPercent: 0,
          atLeastMs: 0,
          check: {
            requests: [{ method: 'GET', path: '/healthz', headers: [], withinMs: 10_000 }],
            withinMs: 60_000,
          },
        },
        { weightPercent: 0.5, atLeastMs: 120_000 },
        {
          weightPercent: 0.5,
          atLeastMs: 0,
          check: {
            requests: [
              {
                method: 'POST',
                path: '/cart',
                headers: [{ name: 'X-Tenant', value: 'a' }],
                status: 302,
                body: '"items"',
                withinMs: 500,
              },
            ],
            withinMs: 30_000,
            port: 8080,
          },
        },
        { weightPercent: 100, atLeastMs: 30_000 },
      ],
      bakeMs: 3_600_000,
      podsReadyWithinMs: 90_000,
      allowTwoVersions: true,
    },
    analysis: {
      mode: 'observe',
      source: 'other',
      confidencePercent: 95,
      metrics: [
        { kind: 'errors', tolerate: '5%', ruleOut: '3x' },
        { kind: 'latency', thresholdMs: 300, tolerate: '20%', ruleOut: '2x + 1pp' },
        {
          kind: 'counters',
          name: 'conversion',
          bad: 'failed_total',
          total: 'started_total',
          tolerate: '10% or 0.01pp',
          ruleOut: '3x',
        },
        { kind: 'threshold', name: 'queue-age', query: 'max(queue_age_seconds)', max: 0 },
        { kind: 'threshold', name: 'workers', query: 'min(workers)', min: 2 },
      ],
      whenUnsure: { afterMs: 60_000, do: 'hold' },
      onSourceDown: { afterMs: 120_000, do: 'rollback' },
      alerts: [],
    },
    onAnomaly: [{ kind: 'rollback' }],
  });
});

test('half of a pair keeps the other half of the default', () => {
  const { analysis } = effectiveSpec({
    ...minimal,
    analysis: {
      metrics: [{ errors: { ruleOut: '3x' } }],
      whenUnsure: { do: 'rollback' },
      onSourceDown: { after: '1m' },
    },
  });
  expect(analysis.metrics).toEqual([{ kind: 'errors', tolerate: '10% or 0.01pp', ruleOut: '3x' }]);
  expect(analysis.whenUnsure).toEqual({ afterMs: 600_000, do: 'rollback' });
  expect(analysis.onSourceDown).toEqual({ afterMs: 60_000, do: 'hold' });
});

test('a journal keeps the whole effective spec, so that a restart goes on with the same one', () => {
  for (const spec of [minimal, written, { ...minimal, traffic: { ...minimal.traffic, settle: '3s' } }]) {
    const effective = effectiveSpec(spec);
    expect(pinnedSpecSchema.parse(JSON.parse(JSON.stringify(effective)))).toEqual(effective);
  }
});

test('an attempt that an older Serin pinned goes on with the tolerances that it began with', () => {
  const { analysis, ...rest } = effectiveSpec(minimal);
  const { mode: _none, metrics: _neither, ...older } = analysis;
  const read = pinnedSpecSchema.parse({ ...rest, analysis: { ...older, errors: { tolerate: '5%', ruleOut: '3x' } } });
  expect(read).toEqual({
    ...rest,
    analysis: { ...older, mode: 'enforce', metrics: [{ kind: 'errors', tolerate: '5%', ruleOut: '3x' }] },
  });
});

test('what is done about harm is read rung by rung, with two minutes where no time is written', () => {
  const flag = { source: 'unleash', name: 'new-pricing', variant: 'off' };
  const { onAnomaly } = effectiveSpec({
    ...minimal,
    onAnomaly: [{ notify: {} }, { flag }, { observe: { for: '30s' } }, { observe: {} }, { hold: {} }],
  });
  expect(onAnomaly).toEqual([
    { kind: 'notify' },
    { kind: 'flag', ...flag, observeMs: 120_000 },
    { kind: 'observe', forMs: 30_000 },
    { kind: 'observe', forMs: 120_000 },
    { kind: 'hold' },
  ]);
});

test('a flag step stands at the weight of the step before it and is judged as long as a weight', () => {
  const flag = { source: 'unleash', name: 'new-pricing', variant: 'on', percent: 20 };
  const { steps } = effectiveSpec({
    ...minimal,
    strategy: { steps: [{ weight: 5 }, { flag }, { weight: 50 }] },
  }).strategy;
  expect(steps).toMatchObject([
    { weightPercent: 5 },
    { weightPercent: 5, atLeastMs: 30_000, flag },
    { weightPercent: 50 },
  ]);
});

test('an attempt that an older Serin pinned knows nothing but the way back, and no alerts', () => {
  const { onAnomaly: _ladder, ...older } = JSON.parse(JSON.stringify(effectiveSpec(minimal)));
  delete older.analysis.alerts;
  expect(pinnedSpecSchema.parse(older)).toEqual(effectiveSpec(minimal));
});
