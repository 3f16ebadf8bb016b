/**
 * Changes flags of the OpenFeature operator: in an override of Serin's, which applications list last. It never touches the
 * FeatureFlag that a person or Git owns, and never deletes the override, for flagd goes on serving what was deleted.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../kube/client.ts';
import type { JsonPatchOperation } from '../kube/verbs.ts';
import { FLAG_OVERRIDE_LABEL } from '../workload/marks.ts';
import { isRemembered, memoryOf, remembering } from './change-memory.ts';
import { escaped } from './json-pointer.ts';
import { changeOf, entryFor, isEntryOf } from './feature-flag-entry.ts';
import {
  definitionIn,
  type FeatureFlag,
  featureFlags,
  type Namespace,
  readNamespace,
  readingOf,
} from './feature-flag-objects.ts';
import { FlagError } from './flag-error.ts';
import { flagOf, isJsonMap, type Json, type JsonMap } from './flagd-flag.ts';
import { ofCluster, untilWritten, written } from './kube-refusal.ts';
import { packPrevious, unpackPrevious } from './previous.ts';
import { evaluated } from './read-back-flagd.ts';
import type { FeatureFlagBackend, FlagSourceOf } from './source.ts';
import type { FlagChange, FlagPlan, FlagTarget, Served } from './target.ts';

/** A target that reads and writes FeatureFlags through `kube`. */
export function featureFlagTarget(source: FlagSourceOf, backend: FeatureFlagBackend, kube: KubeClient): FlagTarget {
  return new FeatureFlagTarget(source.name, backend, kube);
}

class FeatureFlagTarget implements FlagTarget {
  readonly #source: string;
  readonly #backend: FeatureFlagBackend;
  readonly #kube: KubeClient;

  constructor(source: string, backend: FeatureFlagBackend, kube: KubeClient) {
    this.#source = source;
    this.#backend = backend;
    this.#kube = kube;
  }

  async plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan> {
    const what = this.#what('read', change);
    const view = await this.#view(change, what, signal);
    const reading = readingOf(view, change);
    if (reading.kind === 'unlisted') throw new FlagError('refused', `${what}: ${reading.sentence}.`);
    // Where there are rules, or a share is asked for, nobody can say for whom the variant is served already.
    const isPlain = reading.documents.every(({ flags }) => flags[change.flag]?.targeting === undefined);
    const isForAll = (change.percent ?? 100) >= 100;
    const isServed = isPlain && isForAll && (await this.#look(view, change, false, signal)).served;
    const had = definitionIn(view.override, change.flag) ?? null;
    return { previous: packPrevious({ override: view.overrideName, had }, what), isServed };
  }

  async apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void> {
    const what = this.#what('change', change);
    const before = unpackPrevious(previous, what);
    await untilWritten(what, async () => {
      const view = await this.#view(change, what, signal);
      const now = definitionIn(view.override, change.flag) ?? null;
      if (isWritten(view.override, now, change)) return true;
      if (!isDeepStrictEqual({ override: view.overrideName, had: now }, before))
        throw new FlagError(
          'refused',
          `${what}: somebody changed what FeatureFlag ${change.namespace}/${view.overrideName} says of it since Serin read it, and Serin leaves that alone.`,
        );
      const entry = entryFor(change, view);
      await this.#refuseBroken(view, entry, change, what, signal);
      return await this.#write(view, entry, change, what, signal);
    });
  }

  async verify(change: FlagChange, signal: AbortSignal): Promise<Served> {
    const view = await this.#view(change, this.#what('verify', change), signal);
    return await this.#look(view, change, true, signal);
  }

  async revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'> {
    const what = this.#what('turn back', change);
    const { override, had = null } = unpackPrevious(previous, what);
    const ref = { namespace: change.namespace, name: typeof override === 'string' ? override : '' };
    let isKept = false;
    await untilWritten(what, async () => {
      const object = await ofCluster(what, () => this.#kube.find<FeatureFlag>(featureFlags, ref, {}, signal), signal);
      const now = definitionIn(object, change.flag) ?? null;
      if (isDeepStrictEqual(now, had)) return true;
      isKept = object === undefined || !isEntryOf(now, change);
      if (object === undefined || isKept) return true;
      const path = entryPath(change.flag);
      return await this.#patch(
        object,
        [had === null ? { op: 'remove', path } : { op: 'replace', path, value: had }],
        what,
        signal,
      );
    });
    return isKept ? 'keptByOthers' : 'reverted';
  }

  #view(change: FlagChange, what: string, signal: AbortSignal): Promise<Namespace> {
    return readNamespace(this.#kube, this.#backend, change, what, signal);
  }

  /** Through the eyes of each application that is known to read the flag. */
  async #look(view: Namespace, change: FlagChange, isOwn: boolean, signal: AbortSignal): Promise<Served> {
    const reading = readingOf(view, change);
    if (reading.kind === 'unlisted')
      return {
        served: false,
        sentence: `Variant ${change.variant} of flag ${change.flag} (FlagSource ${this.#source}) is not served: ${reading.sentence}.`,
      };
    const look = { source: this.#source, isOwn, hasRules: view.flag.targeting !== undefined };
    const [first, ...others] = reading.documents;
    let seen = await evaluated(first, change, look, signal);
    for (const document of others) if (seen.served) seen = await evaluated(document, change, look, signal);
    return seen;
  }

  /** What flagd would not take, or would not serve, is never written. */
  async #refuseBroken(
    view: Namespace,
    entry: JsonMap,
    change: FlagChange,
    what: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { flag } = change;
    const next = flagOf(entry);
    const look = { source: this.#source, isOwn: true, hasRules: view.flag.targeting !== undefined };
    const seen = await evaluated({ flags: next === undefined ? {} : { [flag]: next } }, change, look, signal);
    if (!seen.served) throw new FlagError('invalid', `${what}, for flagd would not serve it. ${seen.sentence}`);
  }

  #write(
    { override, overrideName }: Namespace,
    entry: JsonMap,
    change: FlagChange,
    what: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { flag, id, namespace } = change;
    if (override !== undefined)
      return this.#patch(override, [...setting(override, flag, entry), ...remembering(override, id)], what, signal);
    const labels = { [FLAG_OVERRIDE_LABEL]: 'true' };
    const metadata = { namespace, name: overrideName, labels, annotations: memoryOf(id) };
    const object = { metadata, spec: { flagSpec: { flags: { [flag]: entry } } } };
    return written(what, () => this.#kube.create(featureFlags, object, {}, signal), signal);
  }

  #patch(
    object: FeatureFlag,
    operations: readonly JsonPatchOperation[],
    what: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { namespace, name, resourceVersion } = object.metadata;
    const ref = { namespace, name };
    return written(
      what,
      () => this.#kube.jsonPatch(featureFlags, ref, operations, { resourceVersion }, signal),
      signal,
    );
  }

  #what(verb: string, { flag, namespace }: FlagChange): string {
    return `FlagSource ${this.#source} cannot ${verb} flag ${flag} for namespace ${namespace}`;
  }
}

/** Also when a person has undone it since: that is not written over again. */
function isWritten(override: FeatureFlag | undefined, entry: Json, { id }: FlagChange): boolean {
  return changeOf(entry) === id || (override !== undefined && isRemembered(override, id));
}

/** The override may be as empty as its schema allows. */
function setting({ spec }: FeatureFlag, flag: string, entry: JsonMap): readonly JsonPatchOperation[] {
  const flags = { [flag]: entry };
  if (spec === undefined) return [{ op: 'add', path: '/spec', value: { flagSpec: { flags } } }];
  if (spec.flagSpec === undefined) return [{ op: 'add', path: '/spec/flagSpec', value: { flags } }];
  if (!isJsonMap(spec.flagSpec.flags)) return [{ op: 'add', path: '/spec/flagSpec/flags', value: flags }];
  return [{ op: 'add', path: entryPath(flag), value: entry }];
}

function entryPath(flag: string): string {
  return `/spec/flagSpec/flags/${escaped(flag)}`;
}
