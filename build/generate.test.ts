import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { generatedFiles, outOfSync } from './generate.ts';

const root = new URL('../', import.meta.url);

interface Applied {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly template?: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

const install = generatedFiles().find(({ path }) => path === 'deploy/install.yaml')?.content ?? '';
const objects = parseAllDocuments(install).map((document): Applied => document.toJS());

test('the generated files in the repository are what the sources say', async () => {
  expect(await outOfSync(root)).toEqual([]);
});

test('install.yaml is whole: a namespace first, kinds, identity, policies, operator', () => {
  expect(objects[0]).toMatchObject({ kind: 'Namespace', metadata: { name: 'serin-system' } });
  const kinds = Object.groupBy(objects, ({ kind }) => kind);
  expect(kinds['CustomResourceDefinition']?.map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(['rollouts.serin.dev', 'metricsources.serin.dev']),
  );
  expect(kinds['Deployment']?.map(({ metadata }) => metadata)).toMatchObject([
    { name: 'serin', namespace: 'serin-system' },
  ]);
  expect(kinds['MutatingAdmissionPolicy']?.map(({ metadata }) => metadata.name)).toContain('serin-guard');
});

test('each policy comes with a binding, without which it would do nothing', () => {
  const named = (kind: string) => objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
  for (const kind of ['MutatingAdmissionPolicy', 'ValidatingAdmissionPolicy'])
    expect(named(`${kind}Binding`).toSorted()).toEqual(named(kind).toSorted());
});

test('install.yaml runs the image of this version', () => {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  const images = objects.flatMap(({ spec }) => spec?.template?.spec.containers.map(({ image }) => image) ?? []);
  expect(images).toEqual([`serin:${version}`]);
});
