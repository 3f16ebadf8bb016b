/**
 * Owns docs/reference: one page a kind, written from the schemas in src/api, and one page of words. It must never say of a
 * field what the schema does not: whoever wants another sentence changes it there.
 */
import { readFileSync } from 'node:fs';
import { type KindDeclaration, kindDeclarations } from '../src/api/crd.ts';
import { API_GROUP, API_VERSION } from '../src/api/kinds.ts';
import { type StructuralSchema, structuralSchema } from '../src/api/structural.ts';
import { fieldSections, typeWords } from './reference-fields.ts';
import { wordsPage } from './reference-words.ts';
import { table } from './markdown.ts';

interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly content: string;
}

const banner = '<!-- Generated from src/api by "npm run generate". Do not edit. -->';

/** Every page of the reference as the sources say it should be. */
export function referencePages(): Page[] {
  const kinds = kindDeclarations.map((kind) => ({ name: kind.singular, blocks: kindPage(kind) }));
  return [...kinds, { name: 'reasons', blocks: wordsPage() }].map(({ name, blocks }) => ({
    path: `docs/reference/${name}.md`,
    content: `${[banner, ...blocks].join('\n\n')}\n`,
  }));
}

function kindPage(declaration: KindDeclaration): string[] {
  const { kind } = declaration.resource;
  const roots = [
    { path: 'spec', schema: structuralSchema(declaration.spec, `${kind}.spec`) },
    ...(declaration.status === undefined
      ? []
      : [{ path: 'status', schema: structuralSchema(declaration.status, `${kind}.status`) }]),
  ];
  return [
    `# ${kind}`,
    declaration.description,
    names(declaration),
    ...exampleOf(kind),
    ...roots.flatMap(({ path, schema }) => fieldSections(kind, path, schema)),
    ...(roots.some(({ schema }) => hasDuration(schema)) ? [durations] : []),
    '## Columns',
    '`kubectl get` prints these; those of `-o wide` are marked.',
    table(
      ['column', 'meaning'],
      declaration.columns.map(({ name, description, priority }) => [
        name.toUpperCase(),
        priority === 1 ? `${description} With \`-o wide\`.` : description,
      ]),
    ),
  ];
}

function names({ resource, singular, shortNames }: KindDeclaration): string {
  const others = [resource.plural, singular, ...shortNames].map((name) => `\`${name}\``).join(', ');
  return table(
    ['', ''],
    [
      ['API version', `\`${API_GROUP}/${API_VERSION}\``],
      ['Scope', resource.namespaced ? 'a namespace' : 'the cluster'],
      ['Names for kubectl', others],
      ['Definition', `[crds/${resource.plural}.yaml](../../crds/${resource.plural}.yaml)`],
    ],
  );
}

/** Kinds that a person writes have an example; what is written by Serin alone has none. */
const examples: Readonly<Record<string, string>> = {
  Rollout: 'examples/checkout/rollout-with-everything.yaml',
  MetricSource: 'examples/metric-source.yaml',
  FlagSource: 'examples/flag-source.yaml',
  RolloutAction: 'examples/rollout-action.yaml',
};

function exampleOf(kind: string): string[] {
  const path = examples[kind];
  if (path === undefined) return [];
  const text = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  return [`[${path}](../../${path}):`, `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``];
}

const durations = `## Durations

Hours, minutes and seconds in that order, each at most once: \`90s\`, \`10m\`, \`1h30m\`.`;

function hasDuration(schema: StructuralSchema): boolean {
  const { properties = {}, items } = schema;
  const inner = [...Object.values(properties), ...(items === undefined ? [] : [items])];
  return typeWords(schema) === 'duration' || inner.some(hasDuration);
}
