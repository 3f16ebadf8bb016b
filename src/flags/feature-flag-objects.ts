/**
 * Reads what the OpenFeature operator serves in one namespace: the FeatureFlags that define a flag, Serin's override, and in
 * which order applications read them. It writes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject, ResourceKind } from '../kube/resources.ts';
import { FLAG_OVERRIDE_LABEL } from '../workload/marks.ts';
import { FlagError } from './flag-error.ts';
import {
  type FlagdDocument,
  type FlagdFlag,
  flagOf,
  isJsonMap,
  type Json,
  type JsonMap,
  refersElsewhere,
} from './flagd-flag.ts';
import { ofCluster } from './kube-refusal.ts';
import type { FeatureFlagBackend } from './source.ts';
import type { FlagChange } from './target.ts';

const operator = { group: 'core.openfeature.dev', version: 'v1beta1', namespaced: true } as const;
export const featureFlags: ResourceKind = { ...operator, plural: 'featureflags', kind: 'FeatureFlag' };
const featureFlagSources: ResourceKind = { ...operator, plural: 'featureflagsources', kind: 'FeatureFlagSource' };

export interface FeatureFlag extends KubeObject {
  readonly spec?: {
    readonly flagSpec?: { readonly flags?: Json; readonly $evaluators?: Json; readonly metadata?: Json };
  };
}

interface FeatureFlagSource extends KubeObject {
  readonly spec?: {
    readonly sources?: readonly { readonly source?: string; readonly provider?: string }[];
    readonly defaultSyncProvider?: string;
  };
}

export interface Namespace {
  /** Those that are not Serin's and define the flag, by name; at least one, and all with the same variants. */
  readonly definers: readonly FeatureFlag[];
  /** The flag as the last of them defines it. */
  readonly flag: FlagdFlag;
  /** Of the document that it stands in: holds for the flag as well. */
  readonly setMetadata: JsonMap;
  readonly overrideName: string;
  readonly override: FeatureFlag | undefined;
  /** Undefined: this cluster has no such kind, and who reads what is not known. */
  readonly sources: readonly FeatureFlagSource[] | undefined;
}

/** @throws FlagError when the flag or its variant is not there, or it is not clear whose it is. */
export async function readNamespace(
  kube: Pick<KubeClient, 'list'>,
  backend: FeatureFlagBackend,
  change: FlagChange,
  what: string,
  signal: AbortSignal,
): Promise<Namespace> {
  const { namespace } = change;
  const all = await listed(kube, namespace, what, signal);
  const definers = all.filter((one) => !isOverride(one) && definitionIn(one, change.flag) !== undefined);
  const definer = lastOf(definers, change, what);
  const overrideName = nameOf(definers, backend, what);
  const override = all.find(({ metadata }) => metadata.name === overrideName);
  if (override !== undefined && !isOverride(override))
    throw new FlagError(
      'refused',
      `${what}: FeatureFlag ${namespace}/${overrideName} has the name of the override, but not the label ${FLAG_OVERRIDE_LABEL}: true, so it is somebody else's and Serin leaves it alone; whoever owns it renames it, or the platform team names another override (spec.featureFlag of the FlagSource).`,
    );
  const sources = await sourcesIn(kube, namespace, what, signal);
  return { definers, ...definer, overrideName, override, sources };
}

async function listed(kube: Pick<KubeClient, 'list'>, namespace: string, what: string, signal: AbortSignal) {
  const { items } = await ofCluster(
    what,
    async () => {
      try {
        return await kube.list<FeatureFlag>(featureFlags, { namespace }, signal);
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
        throw new FlagError(
          'notFound',
          `${what}: this cluster has no FeatureFlags (${operator.group}/${operator.version}); the platform team installs the OpenFeature operator.`,
          { cause: error },
        );
      }
    },
    signal,
  );
  return items.toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name));
}

async function sourcesIn(kube: Pick<KubeClient, 'list'>, namespace: string, what: string, signal: AbortSignal) {
  return await ofCluster(
    what,
    async () => {
      try {
        return (await kube.list<FeatureFlagSource>(featureFlagSources, { namespace }, signal)).items;
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    signal,
  );
}

function lastOf(
  definers: readonly FeatureFlag[],
  { namespace, flag, variant, percent = 100 }: FlagChange,
  what: string,
): { readonly flag: FlagdFlag; readonly setMetadata: JsonMap } {
  const last = definers.at(-1);
  if (last === undefined)
    throw new FlagError(
      'notFound',
      `${what}: no FeatureFlag of the namespace defines it; its owner adds it, or correct the name in the Rollout.`,
    );
  const where = `FeatureFlag ${namespace}/${last.metadata.name}`;
  const found = flagOf(definitionIn(last, flag));
  if (found === undefined)
    throw new FlagError('invalid', `${what}: ${where} gives it no state or no variants; its owner corrects it.`);
  if (!Object.hasOwn(found.variants, variant))
    throw new FlagError(
      'notFound',
      `${what}: ${where} has no variant ${variant} of it, but ${Object.keys(found.variants).slice(0, 10).join(', ')}; correct the Rollout, or the owner of the flag adds it.`,
    );
  if (definers.some((one) => !isDeepStrictEqual(flagOf(definitionIn(one, flag))?.variants, found.variants)))
    throw new FlagError(
      'refused',
      `${what}: ${namesOf(definers)} give it different variants; their owners make them equal.`,
    );
  if (percent < 100 && refersElsewhere(found.targeting))
    throw new FlagError(
      'invalid',
      `${what}: its rules in ${where} name parts of that object ($ref), which no override can carry on for the other users; leave percent out, or the owner of the flag writes the rules out.`,
    );
  const setMetadata = last.spec?.flagSpec?.metadata;
  return { flag: found, setMetadata: isJsonMap(setMetadata) ? setMetadata : {} };
}

function nameOf(definers: readonly FeatureFlag[], backend: FeatureFlagBackend, what: string): string {
  if (backend.overrideName !== undefined) return backend.overrideName;
  if (definers.length > 1)
    throw new FlagError(
      'invalid',
      `${what}: ${namesOf(definers)} define it, so it is not clear what the override is called; the platform team names it (spec.featureFlag.overrideName of the FlagSource).`,
    );
  return `${definers[0]?.metadata.name}-${backend.overrideSuffix}`;
}

function namesOf(objects: readonly FeatureFlag[]): string {
  return `the FeatureFlags ${objects.map(({ metadata }) => metadata.name).join(', ')} of the namespace`;
}

function isOverride({ metadata }: FeatureFlag): boolean {
  return metadata.labels?.[FLAG_OVERRIDE_LABEL] === 'true';
}

/** What an object says of a flag; undefined where it says nothing. */
export function definitionIn(object: FeatureFlag | undefined, flag: string): Json | undefined {
  const flags = object?.spec?.flagSpec?.flags;
  return isJsonMap(flags) && Object.hasOwn(flags, flag) ? flags[flag] : undefined;
}

/** What applications read, as far as this flag goes: one document for each of them that is known. */
export type Reading =
  | { readonly kind: 'read'; readonly documents: readonly [FlagdDocument, ...FlagdDocument[]] }
  /** Somebody reads the flag and would not see the override. */
  | { readonly kind: 'unlisted'; readonly sentence: string };

/** In flagd the last source that has a flag wins, with all of it. */
export function readingOf(view: Namespace, { namespace, flag }: FlagChange): Reading {
  const { sources, definers, override, overrideName } = view;
  const objects = [...definers, ...(override === undefined ? [] : [override])];
  if (sources === undefined) return { kind: 'read', documents: [merged(objects, flag)] };
  const names = new Set(definers.map(({ metadata }) => metadata.name));
  const lists = sources
    .map((source) => ({ name: source.metadata.name, order: orderOf(source, namespace) }))
    .filter(({ order }) => order.some((one) => one !== undefined && (names.has(one) || one === overrideName)));
  const blind = lists.find(({ order }) => order.at(-1) !== overrideName);
  if (blind !== undefined) return unlisted(`FeatureFlagSource ${namespace}/${blind.name} does not list`, overrideName);
  const [first, ...others] = lists.map(({ order }) =>
    merged(
      order.flatMap((name) => objects.find(({ metadata }) => metadata.name === name) ?? []),
      flag,
    ),
  );
  if (first === undefined) return unlisted(`no FeatureFlagSource in namespace ${namespace} lists`, overrideName);
  return { kind: 'read', documents: [first, ...others] };
}

function unlisted(who: string, overrideName: string): Reading {
  return {
    kind: 'unlisted',
    sentence: `${who} FeatureFlag ${overrideName} as the last of its sources, so flagd would never serve it; the owner of the application adds it`,
  };
}

/** Names of the FeatureFlags in `namespace` that it lists; undefined for each source that is none. */
function orderOf({ spec }: FeatureFlagSource, namespace: string): readonly (string | undefined)[] {
  return (spec?.sources ?? []).map(({ source = '', provider }) => {
    const kind = provider ?? spec?.defaultSyncProvider ?? 'kubernetes';
    if (kind !== 'kubernetes' && kind !== 'flagd-proxy') return undefined;
    const parts = source.split('/');
    return (parts.at(-2) ?? namespace) === namespace ? parts.at(-1) : undefined;
  });
}

function merged(objects: readonly FeatureFlag[], flag: string): FlagdDocument {
  const winner = objects.findLast((one) => definitionIn(one, flag) !== undefined);
  const { $evaluators, metadata } = winner?.spec?.flagSpec ?? {};
  const found = winner === undefined ? undefined : flagOf(definitionIn(winner, flag));
  return {
    flags: found === undefined ? {} : { [flag]: found },
    ...(isJsonMap($evaluators) ? { $evaluators } : {}),
    ...(isJsonMap(metadata) ? { metadata } : {}),
  };
}
