/**
 * Takes writes in the order in which an API server does: the change, defaults, admission, the check of the version, what
 * the kind allows, who owns which field, validation; only then it is kept. A dry run goes the same way and keeps nothing.
 */
import { isEqual } from '../../controller/merge-patch.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import { apiVersionOf } from '../../kube/resources.ts';
import type { Policy } from '../admission/policy.ts';
import { withDefaults } from '../defaults/apply-defaults.ts';
import { applied } from '../fields/apply.ts';
import { withBook, type Writer } from '../fields/managed-fields.ts';
import { admittedOrRefused, mutated, reviewOf } from './admit.ts';
import type { Asked } from './asked.ts';
import { newUid, secondsOf } from './identity.ts';
import { type Fields, fieldsAt, type Stored } from './objects.ts';
import type { Place } from './place.ts';
import { existing } from './reads.ts';
import { alreadyExists, badRequest, conflict, modified, notFound } from './refusals.ts';
import { bodyOf, isDryRun, nameOf, requireNamespace, requireSameIdentity } from './requirements.ts';
import type { Storage } from './storage.ts';
import { preparedForCreate, preparedForUpdate } from './strategy.ts';
import { pruned } from './structure.ts';
import { validate } from './validation.ts';

export interface WriteSetting {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly policies: readonly Policy[];
}

export interface Written {
  readonly object: Stored;
  readonly isNew: boolean;
  readonly warnings: readonly string[];
}

/** Throws the Refusal that the client is to see. */
export function create(setting: WriteSetting, place: Place, asked: Asked, applying?: Fields): Written {
  const { kind } = place;
  const { storage, clock, random, policies } = setting;
  const given = applying ?? bodyOf(place, asked);
  requireNamespace(storage, place);
  const name = nameOf(place, given, random);
  const { deletionTimestamp: _time, deletionGracePeriodSeconds: _grace, ...stated } = fieldsAt(given, 'metadata');
  const metadata = {
    ...stated,
    name,
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
    uid: newUid(random),
    creationTimestamp: secondsOf(clock),
    resourceVersion: '',
    ...(kind.generation === 'none' ? {} : { generation: 1 }),
  };
  const whole: Stored = { ...given, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
  const started = preparedForCreate(kind, shaped(kind, whole), storage);
  const writer = writerOf(place, asked, clock, applying === undefined ? 'Update' : 'Apply');
  const booked = (object: Stored): Stored =>
    applying === undefined
      ? withBook(kind, undefined, object, writer)
      : withAppliedBook(kind, object, applying, writer);
  const review = reviewOf(storage, place, asked, { operation: 'CREATE', object: started, dryRun: isDryRun(asked) });
  const admitted = booked(shaped(kind, mutated(policies, review)));
  validate(kind, admitted);
  const warnings = admittedOrRefused(policies, { ...review, object: admitted });
  if (storage.get(kind, place.namespace, name) !== undefined) throw alreadyExists(kind, name);
  return { object: isDryRun(asked) ? admitted : storage.put(kind, admitted), isNew: true, warnings };
}

/** `change` gives the object as the client wants it; what it may not change is put back. */
export function update(
  setting: WriteSetting,
  place: Place,
  asked: Asked,
  change: (live: Stored) => Stored,
  writer: Writer = writerOf(place, asked, setting.clock, 'Update'),
): Written {
  const { kind, subresource } = place;
  const { storage, policies } = setting;
  const live = existing(storage, place);
  const wanted = shaped(kind, change(live));
  requireSameIdentity(place, asked, live, wanted);
  const review = reviewOf(storage, place, asked, {
    operation: 'UPDATE',
    object: wanted,
    before: live,
    dryRun: isDryRun(asked),
  });
  const mutatedObject = shaped(kind, mutated(policies, review));
  const version = mutatedObject.metadata.resourceVersion;
  if (version !== '' && version !== live.metadata.resourceVersion) throw modified(kind, live.metadata.name);
  const prepared = preparedForUpdate(kind, subresource, mutatedObject, live);
  const next = writer.operation === 'Apply' ? prepared : withBook(kind, live, prepared, writer);
  validate(kind, next, live);
  const warnings = admittedOrRefused(policies, { ...review, object: next });
  if (isDryRun(asked)) return { object: next, isNew: false, warnings };
  return { object: kept(setting, place, live, next), isNew: false, warnings };
}

/** Server-side apply: creates what is not there. */
export function apply(setting: WriteSetting, place: Place, asked: Asked): Written {
  const { kind } = place;
  if (asked.query['fieldManager'] === undefined) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const configuration = bodyOf(place, asked);
  if (fieldsAt(configuration, 'metadata')['managedFields'] !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const writer = writerOf(place, asked, setting.clock, 'Apply');
  const isThere = setting.storage.get(kind, place.namespace, place.name ?? '') !== undefined;
  if (!isThere && place.subresource !== undefined) throw notFound(kind, place.name ?? '');
  if (!isThere && fieldsAt(configuration, 'metadata')['resourceVersion'] !== undefined) {
    throw conflict(kind, place.name ?? '', 'resourceVersion should not be set on objects to be created');
  }
  if (!isThere) return create(setting, place, asked, configuration);
  const isForced = asked.query['force'] === 'true';
  return update(setting, place, asked, (live) => applied(kind, live, configuration, writer, isForced), writer);
}

function kept({ storage }: WriteSetting, { kind }: Place, live: Stored, next: Stored): Stored {
  const { metadata } = next;
  const isLetGo = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
  const isDrained = kind.plural !== 'pods' || metadata.deletionGracePeriodSeconds === 0;
  // A namespace goes when its content is gone, which its own list of finalizers says.
  const isEmptied = kind.plural !== 'namespaces' || (fieldsAt(next, 'spec')['finalizers'] ?? undefined) === undefined;
  if (isLetGo && isDrained && isEmptied) return storage.remove(kind, next);
  if (isEqual(live, next)) return live;
  return storage.put(kind, next);
}

/** Without unknown fields, with defaults. */
function shaped(kind: Place['kind'], object: Stored): Stored {
  if (kind.schema === undefined) return withDefaults(kind, object);
  const { apiVersion, kind: name, metadata, ...rest } = object;
  return withDefaults(kind, { ...(pruned(kind.schema, rest) as Fields), apiVersion, kind: name, metadata });
}

/** The book of an object that came to be by apply: only what was asked for is owned. */
function withAppliedBook(kind: Place['kind'], object: Stored, applying: Fields, writer: Writer): Stored {
  const { managedFields } = applied(kind, undefined, applying, writer, true).metadata;
  return { ...object, metadata: { ...object.metadata, ...(managedFields === undefined ? {} : { managedFields }) } };
}

/** Who owns what this request writes. Without the word it is the first part of what the client calls itself. */
export function writerOf({ subresource }: Place, asked: Asked, clock: Clock, operation: Writer['operation']): Writer {
  const manager = asked.query['fieldManager'] ?? (asked.userAgent ?? 'unknown').split('/')[0] ?? 'unknown';
  return { manager, operation, time: secondsOf(clock), ...(subresource === undefined ? {} : { subresource }) };
}
