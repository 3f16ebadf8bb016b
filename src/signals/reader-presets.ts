// Decides what each reader of an attempt reads: which preset, for which pods and backends. It asks nobody.
import type { EngineName } from '../analysis/judge.ts';
import type { KnownPod } from './picture.ts';
import { appPreset } from './presets/app.ts';
import { countersPreset } from './presets/counters.ts';
import { istioPreset } from './presets/istio.ts';
import { linkerdPreset } from './presets/linkerd.ts';
import type { PodArms } from './presets/pods.ts';
import type { Preset } from './presets/preset.ts';
import { traefikPreset } from './presets/traefik.ts';
import type { SourceOf, Subject } from './subject.ts';

/** What of an attempt says how it is read. */
export type ReadAs = Pick<Subject, 'namespace' | 'gateway' | 'source' | 'settings' | 'queries'>;

type Reads =
  | { readonly kind: 'preset'; readonly preset: Preset }
  /** What the user asked for cannot be read: the sentence says what to change. */
  | { readonly kind: 'refused'; readonly sentence: string };

const queryPrefix = 'query:';

/** Of everything that may be read of this attempt; which of them now, says `isActive`. */
export function readerNames({ queries = [] }: Pick<Subject, 'queries'>): readonly EngineName[] {
  return ['gateway', 'app', ...queries.map(({ name }): EngineName => `query:${name}`)];
}

export function isActive(name: EngineName, { gateway, source }: Pick<Subject, 'gateway' | 'source'>): boolean {
  if (name !== 'gateway') return true;
  return isOfSidecars(source) || (gateway !== undefined && source?.dataPlane !== 'app');
}

/** The counters in front of the pods are those of their sidecars, so they tell the pods apart. */
export function isOfSidecars(source: Pick<SourceOf, 'dataPlane'> | undefined): boolean {
  return source?.dataPlane === 'istio' || source?.dataPlane === 'linkerd';
}

export function readsOf(name: EngineName, subject: ReadAs, known: ReadonlyMap<string, KnownPod>): Reads {
  const { namespace, gateway, source, settings } = subject;
  const withLatency = settings.metrics.some(({ kind }) => kind === 'latency');
  const arms: PodArms = { namespace, pods: [...known.keys()].toSorted(), armOf: (pod) => known.get(pod)?.arm };
  if (name === 'app') return preset(appPreset(namespace, arms.pods, arms.armOf, withLatency));
  if (name === 'gateway') return preset(dataPlanePreset(source?.dataPlane, gateway, arms, withLatency));
  const pair = subject.queries?.find((one) => `${queryPrefix}${one.name}` === name);
  if (pair) return countersPreset(pair, arms, source?.confine?.namespaceLabel);
  return { kind: 'refused', sentence: `Nothing says what ${name} counts; this is a fault of Serin.` };
}

function dataPlanePreset(
  dataPlane: NonNullable<Subject['source']>['dataPlane'],
  gateway: Subject['gateway'],
  arms: PodArms,
  withLatency: boolean,
): Preset {
  if (dataPlane === 'istio') return istioPreset(arms, withLatency);
  if (dataPlane === 'linkerd') return linkerdPreset(arms, withLatency);
  // Asked only while `isActive`, so there is a gateway.
  const { canaryService = '', stableService = '', port = 0 } = gateway ?? {};
  return traefikPreset({ namespace: arms.namespace, canaryService, stableService, port }, withLatency);
}

function preset(of: Preset): Reads {
  return { kind: 'preset', preset: of };
}
