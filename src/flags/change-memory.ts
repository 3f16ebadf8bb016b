/**
 * Remembers on the object itself which changes Serin wrote into it, in the same write as the change: after a crash, or when a
 * person has undone it, none is written a second time.
 */
import type { KubeObject } from '../kube/resources.ts';
import type { JsonPatchOperation } from '../kube/verbs.ts';
import { FLAG_CHANGES_ANNOTATION } from '../workload/marks.ts';
import { escaped } from './json-pointer.ts';

/** More than the flags of all Rollouts that could be under way in one namespace at a time. */
const mostIds = 32;

export function isRemembered(object: KubeObject, id: string): boolean {
  return idsIn(object).includes(id);
}

/** The annotations of a new object. */
export function memoryOf(id: string): Readonly<Record<string, string>> {
  return { [FLAG_CHANGES_ANNOTATION]: id };
}

/** To be part of the write of the change `id`. */
export function remembering(object: KubeObject, id: string): readonly JsonPatchOperation[] {
  const value = [...idsIn(object), id].slice(-mostIds).join(' ');
  return object.metadata.annotations === undefined
    ? [{ op: 'add', path: '/metadata/annotations', value: { [FLAG_CHANGES_ANNOTATION]: value } }]
    : [{ op: 'add', path: `/metadata/annotations/${escaped(FLAG_CHANGES_ANNOTATION)}`, value }];
}

function idsIn({ metadata }: KubeObject): readonly string[] {
  return (metadata.annotations?.[FLAG_CHANGES_ANNOTATION] ?? '').split(' ').filter((id) => id !== '');
}
