/** Decides what Serin writes about one flag into its override, and whether what stands there is still that. */
import { createHash } from 'node:crypto';
import { type FlagdFlag, isJsonMap, type Json, type JsonMap, serving } from './flagd-flag.ts';
import { changeIdKey } from './read-back.ts';
import type { FlagChange } from './target.ts';

/** Metadata of the entry: a digest of what decides who is served what, which a person's edit no longer fits. */
const wroteKey = 'serinWrote';

/**
 * The whole entry: flagd takes nothing of a flag from an earlier source once a later one has it, so the owner's variants are
 * copied, and their metadata too, because flagd may know a flag by the set that is named there.
 */
export function entryFor(
  change: FlagChange,
  { flag, setMetadata }: { readonly flag: FlagdFlag; readonly setMetadata: JsonMap },
): JsonMap {
  const { state, defaultVariant, targeting } = serving(change, flag);
  const entry: JsonMap = {
    state,
    variants: flag.variants,
    defaultVariant,
    ...(targeting === undefined ? {} : { targeting }),
  };
  const metadata = { ...setMetadata, ...flag.metadata, [changeIdKey]: change.id, [wroteKey]: digestOf(entry) };
  return { ...entry, metadata };
}

/** True for what `entryFor` gave for this change, and for nothing that anybody has changed since. */
export function isEntryOf(entry: Json | undefined, change: FlagChange): boolean {
  return (
    changeOf(entry) === change.id &&
    isJsonMap(entry) &&
    isJsonMap(entry['metadata']) &&
    entry['metadata'][wroteKey] === digestOf(entry)
  );
}

/** Id of the change that an entry says it is. */
export function changeOf(entry: Json | undefined): Json | undefined {
  return isJsonMap(entry) && isJsonMap(entry['metadata']) ? entry['metadata'][changeIdKey] : undefined;
}

/** Of everything but the metadata, which holds the digest. */
function digestOf({ state = null, variants = null, defaultVariant = null, targeting = null }: JsonMap): string {
  return createHash('sha256')
    .update(JSON.stringify({ state, variants, defaultVariant, targeting }, sorted))
    .digest('hex')
    .slice(0, 16);
}

/** The API server keeps no order of keys. */
function sorted(_key: string, value: Json): Json {
  return isJsonMap(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    : value;
}
