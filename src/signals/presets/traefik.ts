// The preset for Traefik's own counters: requests per backend Service, as callers saw them. The stable arm is the
// user's Service and the canary arm Serin's, so it must not be read once the routes point back after a promotion.
import { type Placed, type Preset, anyOf, isServerError } from './preset.ts';

export interface TraefikBackends {
  readonly namespace: string;
  readonly canaryService: string;
  readonly stableService: string;
  readonly port: number;
}

const requests = 'traefik_service_requests_total';
/** Every Traefik exposes it, also before its first request. */
const heartbeat = 'traefik_config_last_reload_success';

export function traefikPreset(backends: TraefikBackends): Preset {
  const canary = traefikService(backends, backends.canaryService);
  const stable = traefikService(backends, backends.stableService);
  const both = anyOf([stable, canary]);
  return {
    selectors: [
      // The empty alternative matches the heartbeat, which has no such label.
      `{__name__=~"${requests}|${heartbeat}",service=~${anyOf([stable, canary, ''])}}`,
      // A ServiceMonitor puts its own "service" over the metric's.
      `${requests}{exported_service=~${both}}`,
    ],
    example: `${requests}{service=~${both}}`,
    place: (labels) => place(labels, canary, stable),
  };
}

/** How Traefik's Gateway API provider names a backend: every run of other characters becomes one dash. */
export function traefikService({ namespace, port }: TraefikBackends, service: string): string {
  const name = `${namespace}-${service}-http-${port}`.replaceAll(/[^\p{L}\p{N}]+/gu, '-');
  return `${name}@kubernetesgateway`;
}

function place(labels: Readonly<Record<string, string>>, canary: string, stable: string): Placed {
  const { __name__: metric, job = '', instance = '' } = labels;
  const target = { job, instance, pod: undefined };
  if (metric === heartbeat) return { kind: 'heartbeat', target };
  const service = labels.exported_service ?? labels.service;
  const isBad = isServerError(labels.code);
  if (isBad === undefined || (service !== canary && service !== stable)) return { kind: 'foreign' };
  return { kind: 'requests', target, arm: service === canary ? 'canary' : 'stable', isBad, stream: requests, rank: 0 };
}
