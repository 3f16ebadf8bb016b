/** Decides for each kind which fields the API server fills in when they are absent. Filling in twice changes nothing. */
import type { ServedKind } from '../server/kinds.ts';
import { type Fields, fieldsAt, isFields, listAt, type Stored, withoutEmpty, withoutNulls } from '../server/objects.ts';
import { defaultedPodSpec, defaultedTemplate } from './pod-spec.ts';

export function withDefaults(kind: ServedKind, object: Stored): Stored {
  const clean = kind.custom ? object : (withoutNulls(object) as Stored);
  const defaulted = byKind[kind.plural]?.(fieldsAt(clean, 'spec'), clean) ?? {};
  return { ...clean, ...defaulted, metadata: cleanedMeta(clean.metadata) };
}

/** Go leaves empty lists and maps of metadata out. */
function cleanedMeta(metadata: Stored['metadata']): Stored['metadata'] {
  const kept = withoutNulls(metadata) as Fields;
  const empties = ['labels', 'annotations', 'ownerReferences', 'finalizers', 'generateName'];
  return withoutEmpty(kept, empties) as unknown as Stored['metadata'];
}

type Defaulting = (spec: Fields, object: Fields) => Fields;

const byKind: Readonly<Record<string, Defaulting>> = {
  deployments: (spec) => ({ spec: deploymentSpec(spec) }),
  replicasets: (spec) => ({
    spec: {
      replicas: 1,
      ...withoutEmpty(spec, ['minReadySeconds']),
      template: defaultedTemplate(fieldsAt(spec, 'template')),
    },
  }),
  pods: (spec) => ({ spec: podSpec(spec) }),
  services: (spec) => ({ spec: serviceSpec(spec) }),
  httproutes: (spec) => ({ spec: routeSpec(spec) }),
  endpointslices: (_spec, { ports }) => ({
    ports: (Array.isArray(ports) ? ports : []).map((port) => ({ name: '', protocol: 'TCP', ...(port as Fields) })),
  }),
  events: (_spec, { source }) => ({ source: isFields(source) ? source : {} }),
};

function deploymentSpec(spec: Fields): Fields {
  const strategy = fieldsAt(spec, 'strategy');
  const type = strategy['type'] ?? 'RollingUpdate';
  const rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%', ...fieldsAt(strategy, 'rollingUpdate') };
  return {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    ...withoutEmpty(spec, ['paused', 'minReadySeconds']),
    strategy: type === 'RollingUpdate' ? { ...strategy, type, rollingUpdate } : { ...strategy, type },
    template: defaultedTemplate(fieldsAt(spec, 'template')),
  };
}

/** A pod has more than a template: what admission adds on every cluster. */
function podSpec(spec: Fields): Fields {
  return {
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    serviceAccount: 'default',
    serviceAccountName: 'default',
    ...defaultedPodSpec(spec),
  };
}

function serviceSpec(spec: Fields): Fields {
  const { type = 'ClusterIP' } = spec;
  const ports = listAt(spec, 'ports').map((port) => servicePort(port as Fields));
  if (type === 'ExternalName') return { sessionAffinity: 'None', ...spec, ...(ports.length > 0 ? { ports } : {}) };
  return {
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    sessionAffinity: 'None',
    type,
    ...withoutEmpty(spec, ['selector', 'publishNotReadyAddresses', 'externalIPs']),
    ...(ports.length > 0 ? { ports } : {}),
  };
}

function servicePort(port: Fields): Fields {
  return { protocol: 'TCP', targetPort: port['port'], ...withoutEmpty(port, ['name', 'nodePort']) };
}

/** As the CRD of the Gateway API has it. */
function routeSpec(spec: Fields): Fields {
  const parents = listAt(spec, 'parentRefs').map((ref) => ({
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    ...(ref as Fields),
  }));
  const given = listAt(spec, 'rules');
  const rules = (given.length === 0 ? [{}] : given).map((rule) => routeRule(rule as Fields));
  return { ...spec, ...(parents.length > 0 ? { parentRefs: parents } : {}), rules };
}

function routeRule(rule: Fields): Fields {
  const refs = listAt(rule, 'backendRefs').map((ref) => ({
    group: '',
    kind: 'Service',
    weight: 1,
    ...(ref as Fields),
  }));
  const given = listAt(rule, 'matches');
  const matches = (given.length === 0 ? [{}] : given).map((match) => routeMatch(match as Fields));
  return { ...rule, ...(Array.isArray(rule['backendRefs']) ? { backendRefs: refs } : {}), matches };
}

function routeMatch(match: Fields): Fields {
  return { ...match, path: { type: 'PathPrefix', value: '/', ...fieldsAt(match, 'path') } };
}
