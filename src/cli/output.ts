/** Writes values as JSON or YAML for other programs; it never shortens them. */
import { stringify } from 'yaml';
import type { KubeObject } from '../kube/resources.ts';

export type DataFormat = 'json' | 'yaml';

export function formatted(value: unknown, format: DataFormat): string {
  const text = format === 'json' ? JSON.stringify(value, undefined, 4) : stringify(value, { lineWidth: 0 });
  return text.trimEnd();
}

/** The object itself when one was asked for by name, else a List, as kubectl prints them. */
export function oneOrList(objects: readonly KubeObject[], isOne: boolean): unknown {
  const shown = objects.map(withoutFieldOwners);
  return isOne ? shown[0] : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: shown };
}

/** kubectl hides them too, and they are longer than the object. */
function withoutFieldOwners(object: KubeObject): KubeObject {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _owners, ...metadata } = object.metadata;
  return { ...object, metadata };
}
