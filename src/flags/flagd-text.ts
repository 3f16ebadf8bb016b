/** Owns how one flag in the text of a flagd file is edited, with all the rest of it left as it was written. */
import { isDeepStrictEqual } from 'node:util';
import {
  type FlagdDocument,
  type FlagdFlag,
  flagOf,
  isJsonMap,
  type Json,
  type JsonMap,
  type Serving,
} from './flagd-flag.ts';
import { parsed } from './previous.ts';
import { changeIdKey } from './read-back.ts';

/** Metadata of a flag: when Serin wrote it, as text. */
const atKey = 'serinAt';

/** What an edit changes, as it stands in the file; null: not there. */
export interface Decisive {
  readonly state: Json;
  readonly defaultVariant: Json;
  readonly targeting: Json;
  readonly metadata: { readonly [changeIdKey]: Json; readonly [atKey]: Json } | null;
}

export interface FlagdText {
  readonly text: string;
  /** The whole file; each flag in it as it is. */
  readonly document: JsonMap;
  readonly flags: JsonMap;
}

/** Undefined for what is no flagd file in JSON. */
export function flagdTextOf(text: string): FlagdText | undefined {
  const document = parsed(text);
  if (!isJsonMap(document) || !isJsonMap(document['flags'])) return undefined;
  return { text, document, flags: document['flags'] };
}

export function decisiveOf(entry: JsonMap): Decisive {
  const metadata = isJsonMap(entry['metadata']) ? entry['metadata'] : undefined;
  return {
    state: entry['state'] ?? null,
    defaultVariant: entry['defaultVariant'] ?? null,
    targeting: entry['targeting'] ?? null,
    metadata:
      metadata === undefined
        ? null
        : { [changeIdKey]: metadata[changeIdKey] ?? null, [atKey]: metadata[atKey] ?? null },
  };
}

/** What a change makes of a flag. */
export function decisiveFor({ state, defaultVariant, targeting }: Serving, id: string, at: string): Decisive {
  return { state, defaultVariant, targeting: targeting ?? null, metadata: { [changeIdKey]: id, [atKey]: at } };
}

/** What of a flag was written down before, read again; undefined when it is something else. */
export function decisiveIn(read: JsonMap): Decisive | undefined {
  const { state = null, defaultVariant = null, targeting = null, metadata = null } = read;
  if (metadata !== null && !isJsonMap(metadata)) return undefined;
  return {
    state,
    defaultVariant,
    targeting,
    metadata:
      metadata === null ? null : { [changeIdKey]: metadata[changeIdKey] ?? null, [atKey]: metadata[atKey] ?? null },
  };
}

/** The flag as it would be with other decisive parts. */
export function flagWith(variants: JsonMap, { state, defaultVariant, targeting }: Decisive): FlagdFlag | undefined {
  return flagOf({ state, variants, defaultVariant, targeting });
}

/** True for what a change of this id wrote, whenever. */
export function isServing(now: Decisive, serving: Serving, id: string): boolean {
  return (
    now.metadata?.[changeIdKey] === id && isDeepStrictEqual(now, decisiveFor(serving, id, textOf(now.metadata[atKey])))
  );
}

export function changeIn(entry: Json | undefined): { readonly id: Json; readonly at: string } | undefined {
  if (!isJsonMap(entry) || !isJsonMap(entry['metadata'])) return undefined;
  const { [changeIdKey]: id = null, [atKey]: at } = entry['metadata'];
  return id === null ? undefined : { id, at: textOf(at) };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The file with other decisive parts of one flag, indented as it was. */
export function edited({ text, document, flags }: FlagdText, flag: string, entry: JsonMap, parts: Decisive): string {
  const written = { ...document, flags: { ...flags, [flag]: withParts(entry, parts) } };
  const indent = /\n([ \t]+)"/.exec(text)?.[1];
  const end = text.endsWith('\n') ? '\n' : '';
  return `${JSON.stringify(written, undefined, indent)}${end}`;
}

function withParts(entry: JsonMap, { state, defaultVariant, targeting, metadata }: Decisive): JsonMap {
  const others = isJsonMap(entry['metadata']) ? entry['metadata'] : {};
  const merged = Object.entries({ ...others, ...metadata, ...(metadata === null ? noMarks : {}) }).filter(isThere);
  const next = { ...entry, state, defaultVariant, targeting, metadata: Object.fromEntries(merged) };
  // Metadata stays when there were some besides Serin's, even empty ones.
  const isBare = metadata === null && merged.length === 0;
  return Object.fromEntries(Object.entries({ ...next, metadata: isBare ? null : next.metadata }).filter(isThere));
}

const noMarks = { [changeIdKey]: null, [atKey]: null };

function isThere([, value]: readonly [string, Json]): boolean {
  return value !== null;
}

/** What flagd makes of the file, as far as one flag goes. */
export function documentOf({ document, flags }: FlagdText, flag: string): FlagdDocument {
  const found = flagOf(flags[flag]);
  const { $evaluators, metadata } = document;
  return {
    flags: found === undefined ? {} : { [flag]: found },
    ...(isJsonMap($evaluators) ? { $evaluators } : {}),
    ...(isJsonMap(metadata) ? { metadata } : {}),
  };
}
