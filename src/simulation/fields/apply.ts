/**
 * Server-side apply: an object as it is with one manager's configuration laid over it. It refuses to change a field that
 * another manager owns, unless forced, and takes away what this manager no longer asks for and nobody else owns.
 */
import { apiVersionOf } from '../../kube/resources.ts';
import type { ServedKind } from '../server/kinds.ts';
import { type Fields, isFields, type Stored } from '../server/objects.ts';
import { type Cause, Refusal } from '../server/refusals.ts';
import { differencesOf, fieldsOf, ownable, partsOf } from './compare.ts';
import { difference, dotted, type FieldSet, intersection, membersOf, noFields, union } from './field-set.ts';
import { defaultKeys, listTypeAt } from './list-types.ts';
import { entriesOf, entryOf, type Holding, holdingsIn, isHeldBy, type Writer } from './managed-fields.ts';

/** Throws the 409 that names every conflicting field and its owner. `live` is undefined when the object is created. */
export function applied(
  kind: ServedKind,
  live: Stored | undefined,
  configuration: Fields,
  writer: Writer,
  isForced: boolean,
): Stored {
  const before = live ?? { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: configuration['metadata'] };
  const asked = fieldsOf(kind, ownable(configuration));
  const holdings = holdingsIn(live?.metadata.managedFields);
  const others = holdings.filter((holding) => !isHeldBy(holding, writer));
  const mine = holdings.find((holding) => isHeldBy(holding, writer))?.fields ?? noFields;
  const merged = laidOver(kind, [], before, configuration) as Fields;
  const changed = differencesOf(kind, ownable(before), ownable(merged)).written;
  const conflicts = others.flatMap((holding) =>
    membersOf(intersection(holding.fields, changed)).map((path) => ({ holding, path })),
  );
  if (conflicts.length > 0 && !isForced) throw refusalOf(conflicts);
  const taken = conflicts.map(({ path }) => path.join('\n'));
  const kept = others.map((holding) => ({ ...holding, fields: without(holding.fields, taken) }));
  const ownedByOthers = kept.reduce((all, { fields }) => union(all, fields), noFields);
  const dropped = difference(difference(mine, asked), ownedByOthers);
  const cleaned = takenOut(kind, [], merged, dropped) as Stored;
  const entries = entriesOf([...kept, { entry: entryOf(kind, writer), fields: asked }]);
  return { ...cleaned, metadata: { ...cleaned.metadata, managedFields: entries } };
}

interface FieldConflict {
  readonly holding: Holding;
  readonly path: readonly string[];
}

function without(fields: FieldSet, taken: readonly string[]): FieldSet {
  const isTaken = (path: readonly string[]): boolean => taken.includes(path.join('\n'));
  const filtered = (set: FieldSet, path: readonly string[]): FieldSet => ({
    isMember: set.isMember && !isTaken(path),
    below: new Map([...set.below].map(([key, inner]) => [key, filtered(inner, [...path, key])])),
  });
  return union(noFields, filtered(fields, []));
}

/** The configuration over the object: maps by key, lists with identities item by item, everything else as one value. */
function laidOver(kind: ServedKind, path: readonly string[], under: unknown, over: unknown): unknown {
  const parts = partsOf(kind, path, over);
  const old = partsOf(kind, path, under);
  if (parts === undefined || old === undefined) return over;
  if (isFields(over) && isFields(under)) {
    const merged = Object.keys(over).map(
      (key) => [key, laidOver(kind, [...path, key], under[key], over[key])] as const,
    );
    return { ...under, ...Object.fromEntries(merged.filter(([, value]) => value !== undefined)) };
  }
  const items = [...old].map(([key, item]) => mergedItem(kind, path, item.value, parts.get(key)?.value));
  const added = [...parts].filter(([key]) => !old.has(key)).map(([, item]) => completed(kind, path, item.value));
  return [...items, ...added];
}

function mergedItem(kind: ServedKind, path: readonly string[], under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  return isFields(over) ? laidOver(kind, path, under, over) : over;
}

/** A new item gets the parts of its identity that it left out. */
function completed(kind: ServedKind, path: readonly string[], item: unknown): unknown {
  const type = listTypeAt(kind, path);
  if (!isFields(item) || typeof type === 'string') return item;
  const missing = type.filter((key) => item[key] === undefined && defaultKeys[key] !== undefined);
  return { ...item, ...Object.fromEntries(missing.map((key) => [key, defaultKeys[key]])) };
}

/** Without the members of a set; what is empty then goes too. */
function takenOut(kind: ServedKind, path: readonly string[], value: unknown, gone: FieldSet): unknown {
  const parts = partsOf(kind, path, value);
  if (parts === undefined || gone.below.size === 0) return value;
  const left = [...parts].flatMap(([key, part]) => {
    const inner = gone.below.get(key);
    if (inner === undefined) return [[key, part.value] as const];
    if (inner.isMember) return [];
    const rest = takenOut(kind, part.path, part.value, inner);
    const isEmpty = partsOf(kind, part.path, rest)?.size === 0;
    return isEmpty ? [] : [[key, rest] as const];
  });
  if (Array.isArray(value)) return left.map(([, item]) => item);
  return Object.fromEntries(left.map(([key, item]) => [key.slice(2), item]));
}

function refusalOf(conflicts: readonly FieldConflict[]): Refusal {
  const causes = conflicts.map(({ holding, path }): Cause => {
    const message = `conflict with ${describedManager(holding)}`;
    return { reason: 'FieldManagerConflict', message, field: dotted(path) };
  });
  const [only, another] = causes;
  if (only !== undefined && another === undefined) {
    return new Refusal(409, 'Conflict', `Apply failed with 1 conflict: ${only.message}: ${only.field ?? ''}`, {
      causes,
    });
  }
  const byManager = [...Map.groupBy(causes, ({ message }) => message)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = byManager.flatMap(([message, fields]) => [
    `${message.replace('conflict', 'conflicts')}:`,
    ...fields.map(({ field }) => `- ${field ?? ''}`),
  ]);
  return new Refusal(409, 'Conflict', `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`, { causes });
}

function describedManager({ entry }: Holding): string {
  const { manager = '', subresource, operation, apiVersion } = entry;
  const how = subresource === undefined ? '' : ` with subresource "${subresource}"`;
  return `"${manager}"${how}${operation === 'Update' ? ` using ${String(apiVersion)}` : ''}`;
}
