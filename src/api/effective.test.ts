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
      confidencePercent: 99.9,
      errors: { tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' },
      whenUnsure: { afterMs: 600_000, do: 'proceed' },
      onSourceDown: { afterMs: 300_000, do: 'hold' },
    },
  });
});

test('what a Rollout says wins over every default', () => {
  const written: RolloutSpec = {
    targetRef: minimal.targetRef,
    traffic: { ...minimal.traffic, alsoReachable: ['internal'], settle: '3s', drain: '1m' },
    strategy: {
      steps: [{ weight: 0.5, atLeast: '2m' }, { weight: 100 }],
      bake: '1h',
      podsReadyWithin: '90s',
      allowTwoVersions: true,
    },
    analysis: {
      source: 'other',
      confidence: 95,
      metrics: [{ errors: { tolerate: '5%', ruleOut: '3x' } }],
      whenUnsure: { after: '1m', do: 'hold' },
      onSourceDown: { after: '2m', do: 'rollback' },
    },
  };
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
        { weightPercent: 0.5, atLeastMs: 120_000 },
        { weightPercent: 100, atLeastMs: 30_000 },
      ],
      bakeMs: 3_600_000,
      podsReadyWithinMs: 90_000,
      allowTwoVersions: true,
    },
    analysis: {
      source: 'other',
      confidencePercent: 95,
      errors: { tolerate: '5%', ruleOut: '3x' },
      whenUnsure: { afterMs: 60_000, do: 'hold' },
      onSourceDown: { afterMs: 120_000, do: 'rollback' },
    },
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
  expect(analysis.errors).toEqual({ tolerate: '10% or 0.01pp', ruleOut: '3x' });
  expect(analysis.whenUnsure).toEqual({ afterMs: 600_000, do: 'rollback' });
  expect(analysis.onSourceDown).toEqual({ afterMs: 60_000, do: 'hold' });
});

test('a journal keeps the whole effective spec, so that a restart goes on with the same one', () => {
  const effective = effectiveSpec({
    ...minimal,
    analysis: { source: 'other' },
    traffic: { ...minimal.traffic, settle: '3s' },
  });
  expect(pinnedSpecSchema.parse(effective)).toEqual(effective);
});
