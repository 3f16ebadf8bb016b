// Owns what all presets whose targets are pods share: they are asked for by the names of the pods from Kubernetes, never by
// how names look, and a series belongs to the version of the pod that was scraped.
import { type Arm, type Labels, type Placed, anyOf, quoted } from './preset.ts';

export interface PodArms {
  readonly namespace: string;
  /** Of both versions. */
  readonly pods: readonly string[];
  /** Undefined for pods of other workloads. */
  readonly armOf: (pod: string) => Arm | undefined;
}

/** Nothing while no pod is known: the matcher would mean every series without a pod. */
export function podSelectors(
  { namespace, pods }: Pick<PodArms, 'namespace' | 'pods'>,
  names: readonly string[],
  matchers: readonly string[] = [],
): readonly string[] {
  if (pods.length === 0) return [];
  const all = [`__name__=~${quoted(names.join('|'))}`, ...matchers, ...podMatchers({ namespace, pods })];
  return [`{${all.join(',')}}`];
}

function podMatchers({ namespace, pods }: Pick<PodArms, 'namespace' | 'pods'>): readonly string[] {
  return [`namespace=${quoted(namespace)}`, `pod=~${anyOf(pods)}`];
}

export type OfPod =
  | { readonly kind: 'done'; readonly placed: Placed }
  | { readonly kind: 'ofPod'; readonly arm: Arm; readonly target: { job: string; instance: string; pod: string } };

/** What is the same for every series of a pod: whose it is, and `up`. */
export function placeByPod(labels: Labels, armOf: PodArms['armOf']): OfPod {
  const { __name__: metric, pod, job = '', instance = '' } = labels;
  const arm = pod === undefined ? undefined : armOf(pod);
  if (arm === undefined || pod === undefined) return { kind: 'done', placed: { kind: 'foreign' } };
  const target = { job, instance, pod };
  return metric === 'up' ? { kind: 'done', placed: { kind: 'heartbeat', target } } : { kind: 'ofPod', arm, target };
}
