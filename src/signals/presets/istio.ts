// The preset for Istio's sidecars: requests as the proxy beside the server saw them (`reporter="destination"`). Both versions
// are one workload to Istio, so the arm is the pod that was scraped, never the workload labels; a client's proxy and a
// waypoint serve both versions and are not read.
import { type PodArms, placeByPod, podSelectors } from './pods.ts';
import { type Labels, type Placed, type Preset, anyOf, foreign, isGrpcError, isServerError, quoted } from './preset.ts';

const requests = 'istio_requests_total';
const buckets = 'istio_request_duration_milliseconds_bucket';

export function istioPreset(arms: PodArms, withLatency = false): Preset {
  const { namespace, pods } = arms;
  const names = withLatency ? [requests, buckets, 'up'] : [requests, 'up'];
  return {
    // The empty alternative matches `up`, which has no such label.
    selectors: podSelectors(arms, names, ['reporter=~"destination|"']),
    example: `${requests}{reporter="destination",namespace=${quoted(namespace)},pod=~${anyOf(pods.slice(0, 1))}}`,
    isByPod: true,
    place: (labels) => place(labels, arms.armOf),
  };
}

function place(labels: Labels, armOf: PodArms['armOf']): Placed {
  const ofPod = placeByPod(labels, armOf);
  if (ofPod.kind === 'done') return ofPod.placed;
  const { __name__: metric, reporter, response_code: code, grpc_response_status: grpc } = labels;
  // "0": the client went away before there was an answer.
  const isFailed = isServerError(code);
  if (reporter !== 'destination' || isFailed === undefined) return foreign;
  const { arm, target } = ofPod;
  const isBad = isFailed || isGrpcError(grpc);
  if (metric === requests)
    return { kind: 'requests', target, arm, isBad, counts: 'requests', stream: requests, rank: 0 };
  if (metric !== buckets) return foreign;
  return { kind: 'latency', form: 'classic', target, arm, isBad, stream: buckets, rank: 0, secondsPerUnit: 0.001 };
}
