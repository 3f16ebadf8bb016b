/**
 * Says where the pods of a release expose their metrics: always the pod's own address, as the kubelet wrote it. Whoever may write a
 * template chooses port, path and scheme there, and nothing of whom Serin calls.
 */
import type { ScrapeTarget } from '../signals/pod-scraper.ts';
import type { Pod } from '../workload/objects.ts';
import { controlledPods, type PodLists } from './arms.ts';
import { ownAddressOf, type PodPort, portNamed } from './check-pods.ts';

const PORT = 'prometheus.io/port';
const PATH = 'prometheus.io/path';
const SCHEME = 'prometheus.io/scheme';
const SCRAPE = 'prometheus.io/scrape';
const METRICS_PORT = 'metrics';
const longestPath = 512;

export interface EndpointsOf {
  readonly namespace: string;
  readonly arm: ScrapeTarget['arm'];
  /** Undefined: there are none yet. */
  readonly replicaSetUid: string | undefined;
  /** The port behind the Service; undefined without one. */
  readonly servicePort: PodPort | undefined;
}

/** Of the pods that run; those that nobody can say an endpoint of are left out. */
export function metricsEndpoints(stores: PodLists, wanted: EndpointsOf): readonly ScrapeTarget[] {
  const { namespace, arm, replicaSetUid, servicePort } = wanted;
  return controlledPods(stores, namespace, replicaSetUid)
    .filter(isScraped)
    .flatMap((pod) => {
      const address = endpointOf(pod, servicePort);
      return address === undefined ? [] : [{ pod: pod.metadata.name, namespace, arm, address }];
    });
}

/** A pod that is ending still serves its last requests. */
function isScraped({ metadata, status }: Pod): boolean {
  return status?.phase === 'Running' && metadata.annotations?.[SCRAPE] !== 'false';
}

function endpointOf(pod: Pod, servicePort: PodPort | undefined): string | undefined {
  const { [PATH]: path = '/metrics', [SCHEME]: scheme = 'http' } = pod.metadata.annotations ?? {};
  const port = portOf(pod, servicePort);
  const address = ownAddressOf(pod);
  if (address === undefined || port === undefined || !['http', 'https'].includes(scheme) || !isPath(path))
    return undefined;
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}${path}`;
}

function portOf(pod: Pod, servicePort: PodPort | undefined): number | undefined {
  const annotated = pod.metadata.annotations?.[PORT];
  if (annotated !== undefined)
    return /^[1-9]\d{0,4}$/.test(annotated) && Number(annotated) <= 65_535 ? Number(annotated) : undefined;
  return portNamed(pod, METRICS_PORT) ?? (typeof servicePort === 'string' ? portNamed(pod, servicePort) : servicePort);
}

/** Nothing that a URL would read as another part of it. */
function isPath(path: string): boolean {
  return path.length <= longestPath && /^\/[!"$-~]*$/.test(path);
}
