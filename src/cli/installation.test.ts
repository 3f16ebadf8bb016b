import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { CLUSTER_ROLES } from './installation.ts';

const deploy = new URL('../../deploy/', import.meta.url);

/** Names of the ClusterRoles in every file below deploy/. */
function shippedRoles(): string[] {
  const files = readdirSync(deploy, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  const objects = files.flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, deploy), 'utf8')).map((document) => Object(document.toJS())),
  );
  const names = objects.filter(({ kind }) => kind === 'ClusterRole').map(({ metadata }) => String(metadata.name));
  return [...new Set(names)].toSorted();
}

test('every ClusterRole that is shipped is known to uninstall, and no other', () => {
  expect(CLUSTER_ROLES.toSorted()).toEqual(shippedRoles());
});
