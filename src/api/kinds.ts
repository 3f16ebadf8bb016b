/** Owns the names under which the API server serves Serin's kinds; nothing else may spell them. */

import type { ResourceKind } from '../kube/resources.ts';

export const API_GROUP = 'serin.dev';
export const API_VERSION = 'v1alpha1';

const serin = { group: API_GROUP, version: API_VERSION } as const;

export const rolloutKind = { ...serin, plural: 'rollouts', kind: 'Rollout', namespaced: true } satisfies ResourceKind;
export const rolloutActionKind = {
  ...serin,
  plural: 'rolloutactions',
  kind: 'RolloutAction',
  namespaced: true,
} satisfies ResourceKind;
export const metricSourceKind = {
  ...serin,
  plural: 'metricsources',
  kind: 'MetricSource',
  namespaced: false,
} satisfies ResourceKind;
export const flagSourceKind = {
  ...serin,
  plural: 'flagsources',
  kind: 'FlagSource',
  namespaced: false,
} satisfies ResourceKind;
export const releaseRecordKind = {
  ...serin,
  plural: 'releaserecords',
  kind: 'ReleaseRecord',
  namespaced: true,
} satisfies ResourceKind;
