// The preset for two counters that a user names: all of something, and the bad ones among it. It reads them of the pods of
// both versions and of nothing else, so nobody can judge by what others count.
import { type Matcher, type PlainSelector, parsePlain, selectorText } from '../promql.ts';
import { type PodArms, placeByPod } from './pods.ts';
import { type Labels, type Placed, type Preset, foreign, patternOf } from './preset.ts';

export interface CounterPair {
  readonly name: string;
  readonly bad: string;
  readonly total: string;
}

type CountersPreset =
  | { readonly kind: 'preset'; readonly preset: Preset }
  /** Says what to change, and where. */
  | { readonly kind: 'refused'; readonly sentence: string };

/** `namespaceLabel`: the label that says of which namespace a series is. */
export function countersPreset(pair: CounterPair, arms: PodArms, namespaceLabel = 'namespace'): CountersPreset {
  const [bad, total] = [pair.bad, pair.total].map(parsePlain);
  if (!bad?.name || !total?.name) {
    const [field, text] = bad?.name ? ['total', pair.total] : ['bad', pair.bad];
    return {
      kind: 'refused',
      sentence: `Query ${pair.name}: ${field} is no plain counter: ${text} is to be a name with matchers, as checkout_failed_total{reason="stock"}, without functions, ranges or operators; correct it in the Rollout.`,
    };
  }
  return { kind: 'preset', preset: presetOf(bad, total, arms, namespaceLabel) };
}

function presetOf(bad: PlainSelector, total: PlainSelector, arms: PodArms, namespaceLabel: string): Preset {
  const ofPods = (selector: PlainSelector) => selectorText(confinedToPods(selector, arms, namespaceLabel));
  // What is asked for changes with the pods; what is read does not.
  const stream = selectorText(total);
  return {
    // Without a pod the matcher would mean: series without a pod.
    selectors: arms.pods.length === 0 ? [] : [ofPods(total)],
    second: ofPods(bad),
    example: selectorText(confinedToPods(total, { ...arms, pods: arms.pods.slice(0, 1) }, namespaceLabel)),
    isByPod: true,
    place: (labels, isSecond = false) => place(labels, arms.armOf, isSecond, stream),
  };
}

/** Only of these pods, whatever the user wrote: nobody reads what others count. */
export function confinedToPods(
  selector: PlainSelector,
  { namespace, pods }: Pick<PodArms, 'namespace' | 'pods'>,
  namespaceLabel = 'namespace',
): PlainSelector {
  const own: readonly Matcher[] = [
    { label: namespaceLabel, operator: '=', value: namespace },
    { label: 'pod', operator: '=~', value: patternOf(pods) },
  ];
  return { name: selector.name, matchers: [...selector.matchers, ...own] };
}

function place(labels: Labels, armOf: PodArms['armOf'], isSecond: boolean, stream: string): Placed {
  const ofPod = placeByPod(labels, armOf);
  if (ofPod.kind === 'done') return ofPod.placed.kind === 'heartbeat' ? foreign : ofPod.placed;
  const { arm, target } = ofPod;
  const counts = isSecond ? 'failuresOnly' : 'requests';
  return { kind: 'requests', target, arm, isBad: isSecond, counts, stream, rank: 0 };
}
