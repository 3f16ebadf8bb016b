/** The parts of Services, EndpointSlices and routes that Serin reads, as the API server returns them; other fields stay untouched. */
import type { KubeObject } from '../kube/resources.ts';
import type { Condition } from '../workload/objects.ts';

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
}

export interface Service extends KubeObject {
  readonly spec: {
    /** Absent: ClusterIP. */
    readonly type?: string;
    /** `None`: headless. */
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly ServicePort[];
    readonly sessionAffinity?: string;
    readonly sessionAffinityConfig?: unknown;
    readonly ipFamilies?: readonly string[];
    readonly ipFamilyPolicy?: string;
  };
}

export interface Endpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
}

export interface EndpointSlice extends KubeObject {
  readonly addressType?: string;
  /** Null when there are none. */
  readonly endpoints?: readonly Endpoint[] | null;
}

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  /** Absent: 1. */
  readonly weight?: number;
  readonly [field: string]: unknown;
}

export interface RouteRule {
  readonly backendRefs?: readonly BackendRef[];
  readonly sessionPersistence?: unknown;
  readonly [field: string]: unknown;
}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface RouteParentStatus {
  readonly parentRef: ParentRef;
  readonly controllerName: string;
  readonly conditions?: readonly Condition[];
}

export interface HTTPRoute extends KubeObject {
  readonly spec: {
    readonly parentRefs?: readonly ParentRef[];
    readonly rules?: readonly RouteRule[];
    readonly [field: string]: unknown;
  };
  readonly status?: { readonly parents?: readonly RouteParentStatus[] };
}
