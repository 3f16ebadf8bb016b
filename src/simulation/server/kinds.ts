/** Which resources this server serves, and what is particular to each; whatever is not in this table does not exist. */
import { kindDeclarations } from '../../api/crd.ts';
import { API_GROUP } from '../../api/kinds.ts';
import { type StructuralSchema, structuralSchema } from '../../api/structural.ts';
import type { ResourceKind } from '../../kube/resources.ts';
import {
  deployments,
  endpointSlices,
  events,
  httpRoutes,
  leases,
  namespaces,
  pods,
  replicaSets,
  services,
} from '../../kube/resources.ts';

export interface ServedKind extends ResourceKind {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly subresources: readonly ('status' | 'scale')[];
  /** What makes `generation` rise. `none`: the kind has no generation. */
  readonly generation: 'spec' | 'specOrAnnotations' | 'anything' | 'none';
  /** Owned by a CustomResourceDefinition: other rules for updates and metadata. */
  readonly custom: boolean;
  /** Root schema of Serin's kinds: fields that it does not know are dropped, and what it forbids is Invalid. */
  readonly schema?: StructuralSchema;
}

const gatewayGroup = { group: 'gateway.networking.k8s.io', version: 'v1' } as const;

/** All, in the order of discovery. */
export const servedKinds: readonly ServedKind[] = [
  builtIn(pods, 'pod', ['po'], ['status'], 'spec'),
  builtIn(services, 'service', ['svc'], ['status'], 'none'),
  builtIn(events, 'event', ['ev'], [], 'none'),
  builtIn(namespaces, 'namespace', ['ns'], ['status'], 'none'),
  builtIn({ ...pods, plural: 'configmaps', kind: 'ConfigMap' }, 'configmap', ['cm'], [], 'none'),
  builtIn(deployments, 'deployment', ['deploy'], ['status', 'scale'], 'specOrAnnotations'),
  builtIn(replicaSets, 'replicaset', ['rs'], ['status', 'scale'], 'spec'),
  builtIn(endpointSlices, 'endpointslice', [], [], 'anything'),
  builtIn(leases, 'lease', [], [], 'none'),
  { ...builtIn(httpRoutes, 'httproute', [], ['status'], 'spec'), custom: true },
  gatewayKind('gateways', 'Gateway', 'gtw', true),
  gatewayKind('gatewayclasses', 'GatewayClass', 'gc', false),
  ...kindDeclarations.map((declared): ServedKind => {
    const hasStatus = declared.status !== undefined;
    return {
      group: API_GROUP,
      version: 'v1alpha1',
      ...declared.resource,
      singular: declared.singular,
      shortNames: declared.shortNames,
      subresources: hasStatus ? ['status'] : [],
      generation: 'spec',
      custom: true,
      schema: {
        type: 'object',
        required: ['spec'],
        properties: {
          spec: structuralSchema(declared.spec, 'spec'),
          ...(declared.status === undefined ? {} : { status: structuralSchema(declared.status, 'status') }),
        },
      },
    };
  }),
];

/** By group, version and plural name, as paths have them. */
export function kindServed(group: string, version: string, plural: string): ServedKind | undefined {
  return servedKinds.find((kind) => kind.plural === plural && kind.group === group && kind.version === version);
}

/** By what an ownerReference says. */
export function kindNamed(apiVersion: string, kind: string): ServedKind | undefined {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return servedKinds.find((one) => one.kind === kind && one.group === group && one.version === version);
}

function builtIn(
  kind: ResourceKind,
  singular: string,
  shortNames: readonly string[],
  subresources: ServedKind['subresources'],
  generation: ServedKind['generation'],
): ServedKind {
  return { ...kind, singular, shortNames, subresources, generation, custom: false };
}

function gatewayKind(plural: string, kind: string, shortName: string, namespaced: boolean): ServedKind {
  const resource = { ...gatewayGroup, plural, kind, namespaced };
  return { ...builtIn(resource, kind.toLowerCase(), [shortName], ['status'], 'spec'), custom: true };
}
