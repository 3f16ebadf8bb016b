/** Decides which objects a list or a watch shows: by namespace, label selector and the few fields that can be asked for. */
import type { LabelRequirement } from '../../workload/objects.ts';
import { matchesSelector } from '../../workload/selector.ts';
import type { Asked } from './asked.ts';
import type { Stored } from './objects.ts';
import type { Place } from './place.ts';
import { badRequest } from './refusals.ts';

export type Selection = (object: Stored) => boolean;

/** Throws a 400 for a selector that cannot be read. */
export function selectionOf({ namespace, name }: Place, { query }: Asked): Selection {
  const labels = requirementsIn(query['labelSelector'] ?? '');
  const fields = fieldsIn(query['fieldSelector'] ?? '');
  return ({ metadata, ...rest }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (name === undefined || metadata.name === name) &&
    matchesSelector({ matchExpressions: labels }, metadata.labels ?? {}) &&
    fields.every(({ path, value, isEqual }) => (valueAt({ metadata, ...rest }, path) === value) === isEqual);
}

/** `app=shop,tier in (web, api),!legacy`; without the spaces that are allowed anywhere. */
export function requirementsIn(selector: string): readonly LabelRequirement[] {
  const parts = selector.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return parts.map((part) => requirementIn(part.trim(), selector));
}

function requirementIn(text: string, whole: string): LabelRequirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'In' : 'NotIn', values };
  }
  const pair = /^([^!=\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (pair !== null) {
    return { key: pair[1] ?? '', operator: pair[2] === '!=' ? 'NotIn' : 'In', values: [pair[3] ?? ''] };
  }
  const single = /^(!?)\s*([^!=\s()]+)$/.exec(text);
  if (single === null) throw badRequest(`unable to parse requirement: ${whole}`);
  return { key: single[2] ?? '', operator: single[1] === '!' ? 'DoesNotExist' : 'Exists' };
}

interface FieldRequirement {
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** What the API server indexes for these kinds; every other field is refused there too. */
const askableFields = [
  'metadata.name',
  'metadata.namespace',
  'spec.nodeName',
  'status.phase',
  'involvedObject.kind',
  'involvedObject.name',
  'involvedObject.namespace',
  'involvedObject.uid',
  'reason',
  'type',
];

function fieldsIn(selector: string): readonly FieldRequirement[] {
  return selector
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const found = /^([\w.]+)(==|=|!=)(.*)$/.exec(part);
      const path = found?.[1] ?? '';
      if (found === null || !askableFields.includes(path)) throw badRequest(`field label not supported: ${part}`);
      return { path, value: found[3] ?? '', isEqual: found[2] !== '!=' };
    });
}

function valueAt(object: Omit<Stored, 'apiVersion' | 'kind'>, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object);
  return typeof value === 'string' ? value : '';
}
