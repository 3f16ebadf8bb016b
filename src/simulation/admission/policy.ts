/** What an admission policy is here: one thing that the server asks about each write, before it keeps it. */
import type { User } from '../server/asked.ts';
import type { ServedKind } from '../server/kinds.ts';
import type { Stored } from '../server/objects.ts';

/** One write as policies see it. */
export interface Review {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly kind: ServedKind;
  readonly subresource: string | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  /** As it would be stored; of a deletion the object as it is. */
  readonly object: Stored;
  /** As it is stored; absent on CREATE. */
  readonly before: Stored | undefined;
  /** The Namespace object, for namespaced kinds. */
  readonly namespace: Stored | undefined;
  /** Rollouts of that namespace. */
  readonly rollouts: () => readonly Stored[];
}

export interface Policy {
  readonly name: string;
  /** The object as it is to be; asked first, and again when a later policy changed it. */
  mutate?(review: Review): Stored;
  /** Why it may not be; undefined when it may. */
  refuse?(review: Review): string | undefined;
  /** What the client is told under a success. */
  warn?(review: Review): readonly string[];
}

export const SERIN = 'system:serviceaccount:serin-system:serin';
export const PROBE = 'system:serviceaccount:serin-system:serin-probe';

export function isBySerin({ user }: Review): boolean {
  return user.name === SERIN;
}

/** A write of the object itself, not of a subresource. */
export function isOn(review: Review, plural: string, ...operations: readonly Review['operation'][]): boolean {
  const { kind, subresource, operation } = review;
  return kind.plural === plural && subresource === undefined && operations.includes(operation);
}

export function labelOf({ metadata }: Stored, name: string): string | undefined {
  return metadata.labels?.[name];
}

export function withLabel(object: Stored, name: string, value: string): Stored {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, [name]: value } } };
}

export function withAnnotation(object: Stored, name: string, value: string): Stored {
  const annotations = { ...object.metadata.annotations, [name]: value };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
