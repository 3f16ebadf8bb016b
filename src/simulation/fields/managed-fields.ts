/**
 * Keeps the book of who set which field (metadata.managedFields) through plain writes. Server-side apply, which reads it
 * to refuse, is in apply.ts.
 */
import { isEqual } from '../../controller/merge-patch.ts';
import { apiVersionOf } from '../../kube/resources.ts';
import type { ManagedFieldsEntry } from '../../workload/objects.ts';
import type { ServedKind } from '../server/kinds.ts';
import type { Stored } from '../server/objects.ts';
import { differencesOf, ownable } from './compare.ts';
import {
  difference,
  type FieldSet,
  fieldsV1Of,
  isEmptySet,
  setFromV1,
  union,
  withoutBranches,
  withoutPath,
} from './field-set.ts';

/** Who writes, in the words of the book. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  /** RFC 3339, for the entry. */
  readonly time: string;
}

/** One manager's fields. */
export interface Holding {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

export function holdingsIn(entries: readonly ManagedFieldsEntry[] = []): readonly Holding[] {
  return entries.map((entry) => ({ entry, fields: setFromV1(entry.fieldsV1) }));
}

export function entriesOf(holdings: readonly Holding[]): readonly ManagedFieldsEntry[] {
  return holdings
    .filter(({ fields }) => !isEmptySet(fields))
    .map(({ entry, fields }) => ({ ...entry, fieldsV1: fieldsV1Of(fields) }));
}

/** The object with the book as it is after a plain write that turned `before` into `after`. */
export function withBook(kind: ServedKind, before: Stored | undefined, after: Stored, writer: Writer): Stored {
  const claimed = after.metadata.managedFields;
  const isFree = claimed === undefined || writer.subresource !== undefined;
  const asked = isFree ? before?.metadata.managedFields : claimed;
  // No entry, or one empty entry, is the word for "forget all".
  const entries = (asked ?? []).filter((entry) => Object.keys(entry).length > 0);
  const { written, removed } = differencesOf(kind, before && ownable(before), ownable(after));
  const mine = ownedBy(writer, written);
  const holdings = holdingsIn(entries).map((holding) =>
    isHeldBy(holding, writer)
      ? { ...holding, fields: union(withoutBranches(holding.fields, removed), mine) }
      : { ...holding, fields: withoutBranches(difference(holding.fields, written), removed) },
  );
  return booked(after, before, stamped(kind, holdings, entries, writer, mine));
}

/** Status is written through its own door; the other door cannot own it, and the reverse. */
function ownedBy({ subresource }: Writer, written: FieldSet): FieldSet {
  return subresource === 'status' ? withoutPath(written, ['f:spec']) : written;
}

export function isHeldBy({ entry }: Holding, { manager, operation, subresource }: Writer): boolean {
  return (
    entry.manager === manager && entry.operation === operation && (entry.subresource ?? '') === (subresource ?? '')
  );
}

export function entryOf(kind: ServedKind, { manager, operation, subresource, time }: Writer): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion: apiVersionOf(kind),
    time,
    fieldsType: 'FieldsV1',
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function stamped(
  kind: ServedKind,
  holdings: readonly Holding[],
  before: readonly ManagedFieldsEntry[],
  writer: Writer,
  mine: FieldSet,
): readonly ManagedFieldsEntry[] {
  const isKnown = holdings.some((holding) => isHeldBy(holding, writer));
  const all = isKnown ? holdings : [...holdings, { entry: entryOf(kind, writer), fields: mine }];
  return entriesOf(all).map((entry) => {
    const old = before.find((one) => isEqual({ ...one, time: '', fieldsV1: {} }, { ...entry, time: '', fieldsV1: {} }));
    const isSame = old !== undefined && isEqual(old.fieldsV1, entry.fieldsV1);
    return isSame ? entry : { ...entry, time: isHeldBy({ entry, fields: mine }, writer) ? writer.time : entry['time'] };
  });
}

/** A write that changes nothing but the times in the book changes nothing. */
function booked(after: Stored, before: Stored | undefined, managedFields: readonly ManagedFieldsEntry[]): Stored {
  const old = before?.metadata.managedFields;
  const isSame = old !== undefined && isEqual(timeless(old), timeless(managedFields));
  const book = isSame ? old : managedFields;
  const { managedFields: _claimed, ...metadata } = after.metadata;
  return { ...after, metadata: { ...metadata, ...(book.length === 0 ? {} : { managedFields: book }) } };
}

function timeless(entries: readonly ManagedFieldsEntry[]): readonly object[] {
  return entries.map(({ time: _time, ...entry }) => entry);
}
