/** Owns the names under which the API server serves Serin's kinds; nothing else may spell them. */

/** What a client has to know to address objects of a kind. */
interface NamedKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const API_GROUP = 'serin.dev';
export const API_VERSION = 'v1alpha1';

const serin = { group: API_GROUP, version: API_VERSION } as const;

export const rolloutKind = { ...serin, plural: 'rollouts', kind: 'Rollout', namespaced: true } satisfies NamedKind;
export const rolloutActionKind = {
  ...serin,
  plural: 'rolloutactions',
  kind: 'RolloutAction',
  namespaced: true,
} satisfies NamedKind;
export const metricSourceKind = {
  ...serin,
  plural: 'metricsources',
  kind: 'MetricSource',
  namespaced: false,
} satisfies NamedKind;
export const releaseRecordKind = {
  ...serin,
  plural: 'releaserecords',
  kind: 'ReleaseRecord',
  namespaced: true,
} satisfies NamedKind;
