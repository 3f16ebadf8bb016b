// The preset for Traefik's own counters: requests per backend Service, as callers saw them. The stable arm is the
// user's Service and the canary arm Serin's, so it must not be read once the routes point back after a promotion.
import { type Labels, type Placed, type Preset, anyOf, foreign, isServerError } from './preset.ts';

export interface TraefikBackends {
  readonly namespace: string;
  readonly canaryService: string;
  readonly stableService: string;
  readonly port: number;
}

const requests = 'traefik_service_requests_total';
const buckets = 'traefik_service_request_duration_seconds_bucket';
/** Every Traefik exposes it, also before its first request. */
const heartbeat = 'traefik_config_last_reload_success';
/** Their duration is how long the connection was open, which says nothing about a version. */
const lastingProtocols = new Set(['websocket', 'sse']);

export function traefikPreset(backends: TraefikBackends, withLatency = false): Preset {
  const canary = traefikService(backends, backends.canaryService);
  const stable = traefikService(backends, backends.stableService);
  const both = anyOf([stable, canary]);
  const names = withLatency ? `${requests}|${buckets}` : requests;
  return {
    selectors: [
      // The empty alternative matches the heartbeat, which has no such label.
      `{__name__=~"${names}|${heartbeat}",service=~${anyOf([stable, canary, ''])}}`,
      // A ServiceMonitor puts its own "service" over the metric's.
      withLatency ? `{__name__=~"${names}",exported_service=~${both}}` : `${requests}{exported_service=~${both}}`,
    ],
    example: `${requests}{service=~${both}}`,
    isByPod: false,
    place: (labels) => place(labels, canary, stable),
  };
}

/** How Traefik's Gateway API provider names a backend: every run of other characters becomes one dash. */
export function traefikService({ namespace, port }: TraefikBackends, service: string): string {
  const name = `${namespace}-${service}-http-${port}`.replaceAll(/[^\p{L}\p{N}]+/gu, '-');
  return `${name}@kubernetesgateway`;
}

function place(labels: Labels, canary: string, stable: string): Placed {
  const { __name__: metric, job = '', instance = '' } = labels;
  const target = { job, instance, pod: undefined };
  if (metric === heartbeat) return { kind: 'heartbeat', target };
  const service = labels.exported_service ?? labels.service;
  const isBad = isServerError(labels.code);
  if (isBad === undefined || (service !== canary && service !== stable)) return foreign;
  const arm = service === canary ? 'canary' : 'stable';
  if (metric === requests)
    return { kind: 'requests', target, arm, isBad, counts: 'requests', stream: requests, rank: 0 };
  if (metric !== buckets || lastingProtocols.has(labels.protocol ?? '')) return foreign;
  return { kind: 'latency', form: 'classic', target, arm, isBad, stream: buckets, rank: 0, secondsPerUnit: 1 };
}
