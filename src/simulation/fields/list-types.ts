/**
 * Which lists have items of their own identity, and which maps are one value: what ownership of fields is about depends
 * on it. Whatever is not named here is a list that is replaced as a whole, and a map whose keys are fields.
 */
import type { StructuralSchema } from '../../api/structural.ts';
import type { ServedKind } from '../server/kinds.ts';
import { type Fields, isFields } from '../server/objects.ts';

/** `atomic`: one value. `set`: each item is its own identity. Else the names of the fields that identify an item. */
export type ListType = 'atomic' | 'set' | readonly string[];

const byName: Readonly<Record<string, ListType>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  conditions: ['type'],
  podIPs: ['ip'],
  hostIPs: ['ip'],
};

const metadataLists: Readonly<Record<string, ListType>> = { ownerReferences: ['uid'], finalizers: 'set' };

/** Value that the server fills in for a missing part of an item's identity. */
export const defaultKeys: Readonly<Fields> = { protocol: 'TCP' };

export function listTypeAt(kind: ServedKind, path: readonly string[]): ListType {
  const name = path.at(-1) ?? '';
  if (path[0] === 'metadata') return (path.length === 2 ? metadataLists[name] : undefined) ?? 'atomic';
  if (kind.schema !== undefined) return declaredType(kind.schema, path);
  if (kind.custom) return name === 'listeners' && kind.plural === 'gateways' ? ['name'] : 'atomic';
  if (name === 'ports') return portKeys(kind, path);
  return byName[name] ?? 'atomic';
}

function portKeys({ plural }: ServedKind, path: readonly string[]): ListType {
  if (path.includes('containers') || path.includes('initContainers')) return ['containerPort', 'protocol'];
  return plural === 'services' ? ['port', 'protocol'] : 'atomic';
}

/** Selectors are one value: half a selector selects something else. */
export function isAtomicMap(kind: ServedKind, path: readonly string[]): boolean {
  const name = path.at(-1);
  if (path[0] === 'metadata' || kind.custom) return false;
  return name === 'selector' || name === 'nodeSelector' || name === 'labelSelector';
}

function declaredType(root: StructuralSchema, path: readonly string[]): ListType {
  const schema = path.reduce<StructuralSchema | undefined>(
    (at, key) => (at?.items === undefined ? at?.properties?.[key] : at.items.properties?.[key]),
    root,
  );
  const type = schema?.['x-kubernetes-list-type'];
  if (type === 'set') return 'set';
  return type === 'map' ? (schema?.['x-kubernetes-list-map-keys'] ?? 'atomic') : 'atomic';
}

/** The name of a list's item among owned fields: `k:{"name":"app"}` or `v:"a"`. */
export function itemKey(item: unknown, type: Exclude<ListType, 'atomic'>): string {
  if (type === 'set') return `v:${JSON.stringify(item)}`;
  const fields = isFields(item) ? item : {};
  const identity = type.toSorted().map((key) => [key, fields[key] ?? defaultKeys[key]]);
  return `k:${JSON.stringify(Object.fromEntries(identity))}`;
}
