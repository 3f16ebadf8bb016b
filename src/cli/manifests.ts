/** Reads manifests as kubectl would, for planning without a cluster; what is not an object is refused by its place in the file. */
import { parseAllDocuments } from 'yaml';
import { API_GROUP } from '../api/kinds.ts';
import type { KubeObject } from '../kube/resources.ts';
import { CliError } from './failure.ts';

/** Every object of the text, also those inside a List, as if an API server had just stored it in `namespace`. */
export function manifestsIn(text: string, path: string, namespace: string): readonly KubeObject[] {
  const documents = parseAllDocuments(text);
  return [...documents].flatMap((document, index) => {
    const fault = document.errors[0];
    if (fault !== undefined)
      throw new CliError(`${path}, document ${index + 1}: ${fault.message.split('\n')[0] ?? 'not YAML'}`);
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : objectsIn(value, `${path}, document ${index + 1}`, namespace);
  });
}

function objectsIn(value: unknown, place: string, namespace: string): readonly KubeObject[] {
  if (!isRecord(value)) throw new CliError(`${place}: is not a Kubernetes object`);
  if (Array.isArray(value['items'])) return value['items'].flatMap((item) => objectsIn(item, place, namespace));
  const { apiVersion, kind, metadata } = value;
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new CliError(`${place}: has no apiVersion and kind`);
  if (!isRecord(metadata) || typeof name !== 'string') throw new CliError(`${place}: ${kind} has no metadata.name`);
  const own = metadata['namespace'];
  const stored = {
    uid: `file:${kind}/${name}`,
    resourceVersion: 'file',
    generation: 1,
    namespace: typeof own === 'string' ? own : namespace,
  };
  return [{ ...value, apiVersion, kind, metadata: { ...metadata, name, ...stored } }];
}

/** The one Rollout of a file. */
export function rolloutAmong(objects: readonly KubeObject[], path: string): KubeObject {
  const rollouts = objects.filter(
    (object) => object.kind === 'Rollout' && object.apiVersion.startsWith(`${API_GROUP}/`),
  );
  const [only, another] = rollouts;
  if (only === undefined) throw new CliError(`${path} has no Rollout of ${API_GROUP} in it`);
  if (another !== undefined)
    throw new CliError(`${path} has ${rollouts.length} Rollouts in it; plan takes one at a time`);
  return only;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
