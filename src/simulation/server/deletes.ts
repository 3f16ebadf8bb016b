/**
 * Takes DELETE: guarded by preconditions, delayed by finalizers and by the time a pod gets to end, or at once. Who owns
 * what is the garbage collector's business.
 */
import { admittedOrRefused, reviewOf } from './admit.ts';
import type { Asked } from './asked.ts';
import { secondsOf } from './identity.ts';
import { type Fields, fieldsAt, isFields, type Stored, textAt } from './objects.ts';
import type { Place } from './place.ts';
import { existing } from './reads.ts';
import { conflict } from './refusals.ts';
import { isDryRun } from './requirements.ts';
import type { WriteSetting } from './writes.ts';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export interface Deleted {
  /** `false`: it is only marked, and the answer is the object. */
  readonly isGone: boolean;
  readonly object: Stored;
  readonly warnings: readonly string[];
}

interface DeleteOptions {
  readonly preconditions: Fields;
  readonly propagation: string | undefined;
  readonly graceSeconds: number | undefined;
  readonly dryRun: boolean;
}

export function remove(setting: WriteSetting, place: Place, asked: Asked): Deleted {
  const { storage, clock, policies } = setting;
  const { kind } = place;
  const live = existing(storage, place);
  const options = optionsIn(asked);
  requirePreconditions(place, live, options.preconditions);
  const warnings = admittedOrRefused(
    policies,
    reviewOf(storage, place, asked, { operation: 'DELETE', object: live, before: live, dryRun: options.dryRun }),
  );
  const graceSeconds = graceOf(kind.plural, live, options.graceSeconds);
  const finalizers = finalizersAfter(live, options.propagation);
  const isNamespace = kind.plural === 'namespaces';
  if (graceSeconds === 0 && finalizers.length === 0 && !isNamespace) {
    if (options.dryRun) return { isGone: true, object: live, warnings };
    return { isGone: true, object: storage.remove(kind, { ...live, metadata: { ...live.metadata } }), warnings };
  }
  const marked = markedForDeletion(live, finalizers, graceSeconds, secondsOf(clock, graceSeconds * 1000));
  const next = isNamespace ? { ...marked, status: { ...fieldsAt(marked, 'status'), phase: 'Terminating' } } : marked;
  const isSame = JSON.stringify(next) === JSON.stringify(live);
  return { isGone: false, object: options.dryRun || isSame ? next : storage.put(kind, next), warnings };
}

/** The body speaks, and the query only where there is no body. */
function optionsIn(asked: Asked): DeleteOptions {
  const { body, query } = asked;
  const given: Fields = isFields(body) ? body : {};
  const grace = given['gracePeriodSeconds'] ?? query['gracePeriodSeconds'];
  const hasBody = isFields(body);
  const orphans = given['orphanDependents'];
  const propagation =
    textAt(given, 'propagationPolicy') ??
    query['propagationPolicy'] ??
    (orphans === true ? 'Orphan' : orphans === false ? 'Background' : undefined);
  return {
    preconditions: fieldsAt(given, 'preconditions'),
    propagation,
    graceSeconds: grace === undefined ? undefined : Number(grace),
    dryRun: hasBody ? Array.isArray(given['dryRun']) && given['dryRun'].includes('All') : isDryRun(asked),
  };
}

function requirePreconditions({ kind }: Place, { metadata }: Stored, { uid, resourceVersion }: Fields): void {
  const failed = (what: string, wanted: unknown, actual: string): never => {
    const words = `Precondition failed: ${what} in precondition: ${String(wanted)}, ${what} in object meta: ${actual}`;
    throw conflict(kind, metadata.name, words);
  };
  if (uid !== undefined && uid !== metadata.uid) failed('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    failed('ResourceVersion', resourceVersion, metadata.resourceVersion);
  }
}

/** Only pods get time to end, and only those that a node has taken and that still run. */
function graceOf(plural: string, live: Stored, wanted: number | undefined): number {
  if (plural !== 'pods') return 0;
  const spec = fieldsAt(live, 'spec');
  const phase = textAt(fieldsAt(live, 'status'), 'phase');
  if (spec['nodeName'] === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
  const asked = Math.max(0, wanted ?? Number(spec['terminationGracePeriodSeconds'] ?? 30));
  const { deletionTimestamp, deletionGracePeriodSeconds = asked } = live.metadata;
  // A second deletion may only make it shorter.
  return deletionTimestamp === undefined ? asked : Math.min(asked, deletionGracePeriodSeconds);
}

function finalizersAfter({ metadata }: Stored, propagation: string | undefined): readonly string[] {
  const own = metadata.finalizers ?? [];
  if (propagation === undefined) return own;
  const others = own.filter((one) => one !== FOREGROUND && one !== ORPHAN);
  if (propagation === 'Foreground') return [...others, FOREGROUND];
  return propagation === 'Orphan' ? [...others, ORPHAN] : others;
}

function markedForDeletion(
  live: Stored,
  finalizers: readonly string[],
  graceSeconds: number,
  deletionTimestamp: string,
): Stored {
  const { metadata } = live;
  const isFirst = metadata.deletionTimestamp === undefined;
  const isShorter = graceSeconds < (metadata.deletionGracePeriodSeconds ?? graceSeconds);
  const generation = metadata.generation === undefined ? {} : { generation: metadata.generation + (isFirst ? 1 : 0) };
  return {
    ...live,
    metadata: {
      ...metadata,
      ...generation,
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ...(isFirst || isShorter ? { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } : {}),
    },
  };
}
