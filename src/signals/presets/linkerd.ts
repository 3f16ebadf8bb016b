// The preset for Linkerd's proxies: what came in to the pods (`direction="inbound"`), as the proxy beside the server saw it.
// The proxy also counts the kubelet's probes and whoever scrapes it; those are no users.
import { type PodArms, placeByPod, podSelectors } from './pods.ts';
import { type Labels, type Placed, type Preset, anyOf, foreign, isServerError, quoted } from './preset.ts';

const responses = 'response_total';
const buckets = 'response_latency_ms_bucket';
/** Of the proxy itself. */
const adminPort = '4191';
/** Users come by a name; the kubelet and Prometheus come by the pod's own address. */
const address = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d+)?$/i;

export function linkerdPreset(arms: PodArms, withLatency = false): Preset {
  const { namespace, pods } = arms;
  const names = withLatency ? [responses, buckets, 'up'] : [responses, 'up'];
  return {
    // The empty alternative matches `up`, which has no such label.
    selectors: podSelectors(arms, names, ['direction=~"inbound|"']),
    example: `${responses}{direction="inbound",namespace=${quoted(namespace)},pod=~${anyOf(pods.slice(0, 1))}}`,
    isByPod: true,
    place: (labels) => place(labels, arms.armOf),
  };
}

function place(labels: Labels, armOf: PodArms['armOf']): Placed {
  const ofPod = placeByPod(labels, armOf);
  if (ofPod.kind === 'done') return ofPod.placed;
  if (labels.direction !== 'inbound' || isNoUser(labels)) return foreign;
  const { arm, target } = ofPod;
  const { __name__: metric, classification } = labels;
  if (metric === responses) {
    if (classification !== 'success' && classification !== 'failure') return foreign;
    const isBad = classification === 'failure';
    return { kind: 'requests', target, arm, isBad, counts: 'requests', stream: responses, rank: 0 };
  }
  if (metric !== buckets) return foreign;
  const isBad = isServerError(labels.status_code);
  return { kind: 'latency', form: 'classic', target, arm, isBad, stream: buckets, rank: 0, secondsPerUnit: 0.001 };
}

function isNoUser(labels: Labels): boolean {
  const isProbe = labels.route_kind === 'default' && labels.route_name === 'probe';
  const isScrape = labels.target_port === adminPort || labels.srv_port === adminPort;
  return isProbe || isScrape || address.test(labels.authority ?? '');
}
