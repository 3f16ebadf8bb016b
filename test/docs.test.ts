/** What the documentation claims and shows is held against the sources: objects, commands, words, links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { metricSourceSpecSchema } from '../src/api/metric-source.ts';
import { REASONS } from '../src/api/reasons.ts';
import { rolloutActionSpecSchema } from '../src/api/rollout-action.ts';
import { rolloutSpecSchema } from '../src/api/rollout.ts';
import { commandLine } from '../src/cli/commands.ts';
import { trial } from '../src/cli/trial.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Page {
  readonly path: string;
  readonly text: string;
}

const pagesIn = (folder: string, ends: string): Page[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ends))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(root, folder, name), 'utf8') }));

const pages = [{ path: 'README.md', text: readFileSync(join(root, 'README.md'), 'utf8') }, ...pagesIn('docs', '.md')];
const examples = pagesIn('examples', '.yaml');

function wordsOf(path: string): string {
  return pages.find((page) => page.path === path)?.text ?? '';
}

function blocks(page: Page, language: string): string[] {
  return [...page.text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter((found) => found[1] === language)
    .map((found) => found[2] ?? '');
}

const specSchemas: Readonly<Record<string, z.ZodType>> = {
  Rollout: rolloutSpecSchema,
  RolloutAction: rolloutActionSpecSchema,
  MetricSource: metricSourceSpecSchema,
};

describe('objects', () => {
  const texts = [
    ...examples,
    ...pages.flatMap((page) => blocks(page, 'yaml').map((text) => ({ path: page.path, text }))),
  ];

  test.each(texts.map((page) => [page.path, page.text]))(
    '%s: every object is one that the API server takes',
    (_path, text) => {
      for (const document of parseAllDocuments(text)) {
        expect(document.errors).toEqual([]);
        const object: { apiVersion?: string; kind?: string; spec?: unknown } = document.toJS();
        const schema = specSchemas[object.kind ?? ''];
        if (object.apiVersion?.startsWith('serin.dev/') !== true) continue;
        expect(object.apiVersion).toBe('serin.dev/v1alpha1');
        expect(schema?.safeParse(object.spec).error?.issues).toBeUndefined();
      }
    },
  );

  test('the example with everything has every field that a Rollout has', () => {
    const example = examples.find(({ path }) => path.endsWith('rollout-with-everything.yaml'));
    const object: { spec?: unknown } | undefined = parseAllDocuments(example?.text ?? '')[0]?.toJS();
    expect(fieldsOf(object?.spec)).toEqual(
      fieldsOfSchema(z.toJSONSchema(rolloutSpecSchema, { io: 'input', unrepresentable: 'any' })),
    );
  });

  test('the first Rollout of the README has eight lines', () => {
    const example = examples.find(({ path }) => path.endsWith('checkout/rollout.yaml'));
    expect(example?.text.trimEnd().split('\n')).toHaveLength(8);
  });
});

describe('commands', () => {
  const program = commandLine(trial().around, { exitCode: 0 });
  const shown = pages.flatMap((page) =>
    blocks(page, 'sh')
      .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
      .map((line) => ({ path: page.path, line: line.replace(/ +#.*$/, '').trim() })),
  );
  const inText = pages.flatMap((page) =>
    [...page.text.matchAll(/`(serin [^`]+)`/g)].map((found) => ({ path: page.path, line: found[1] ?? '' })),
  );
  const ours = [...shown, ...inText].filter(({ line }) => line.startsWith('serin '));

  test('there are some', () => {
    expect(ours.length).toBeGreaterThan(10);
  });

  test.each(ours.map(({ path, line }) => [path, line]))('%s: %s exists with its options', (_path, line) => {
    const [, name, ...words] = line.split(/ +/);
    const command = program.commands.find((one) => one.name() === name);
    expect(command?.name()).toBe(name);
    const known = [...program.options, ...(command?.options ?? [])].flatMap((option) => [option.short, option.long]);
    for (const word of words.filter((one) => one.startsWith('-'))) expect(known).toContain(word.replace(/=.*/, ''));
  });

  const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const runs = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run ([\w:]+)/g)].map((found) => [path, found[1] ?? '']),
  );

  test.each(runs)('%s: npm run %s exists', (_path, script) => {
    expect(Object.keys(scripts)).toContain(script);
  });

  test('every command of the program is in some page', () => {
    const text = pages.map((page) => page.text).join('\n');
    for (const command of program.commands)
      expect(text).toMatch(new RegExp(`serin ${command.name()}\\b|\`${command.name()}\``));
  });

  test('files that are applied exist', () => {
    const files = shown.flatMap(({ line }) => [...line.matchAll(/ -f ([\w./-]+)/g)].map((found) => found[1] ?? ''));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

describe('words', () => {
  const moves = { serin: "Serin's move.", user: 'Your move.', none: 'News.' } as const;

  test.each(Object.entries(REASONS))(
    'troubleshooting explains %s in the words of the program',
    (reason, [move, sentence]) => {
      expect(wordsOf('docs/troubleshooting.md')).toContain(`### ${reason}\n\n${sentence} *${moves[move]}*\n\n`);
    },
  );

  test('troubleshooting has no reason that the program does not know', () => {
    const headings = [...wordsOf('docs/troubleshooting.md').matchAll(/^### (\w+)$/gm)].map((found) => found[1] ?? '');
    expect(unique(headings)).toEqual(unique(Object.keys(REASONS)));
  });

  test('safety has S1 to S18, and every one that the code cites', () => {
    const stated = new Set([...wordsOf('docs/safety.md').matchAll(/^- \*\*(S\d+) /gm)].map((found) => found[1]));
    expect([...stated]).toEqual(Array.from({ length: 18 }, (_, index) => `S${index + 1}`));
    const cited = pagesIn('src', '.ts').flatMap((page) =>
      [...page.text.matchAll(/\bS\d+\b/g)].map((found) => found[0]),
    );
    expect(cited.filter((name) => !stated.has(name))).toEqual([]);
  });

  test('every policy is named where policies are explained', () => {
    const names = pagesIn('deploy/policies', '.yaml').flatMap(({ text: policy }) =>
      [...policy.matchAll(/^ {2}name: (serin-[\w-]+)$/gm)].map((found) => found[1]),
    );
    for (const name of new Set(names)) expect(wordsOf('docs/safety.md')).toContain(`\`${name}\``);
  });

  test('every dependency has a line on why', () => {
    const { dependencies, devDependencies, optionalDependencies }: Readonly<Record<string, object>> = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }))
      expect(wordsOf('docs/dependencies.md')).toContain(`\`${name}\``);
  });
});

test.each(pages.map(({ path, text }) => [path, text]))('%s: links lead somewhere', (path, text) => {
  const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((found) => found[1] ?? '');
  const local = targets.filter((target) => !/^https?:/.test(target));
  const missing = local.filter((target) => !existsSync(join(root, dirname(path), target)));
  expect(missing.map((target) => relative(root, join(root, dirname(path), target)))).toEqual([]);
});

/** Paths of fields, lists left out: "strategy.steps.weight". */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return unique(value.flatMap((item) => fieldsOf(item, path)));
  if (typeof value !== 'object' || value === null) return [path];
  return unique(
    Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, path === '' ? name : `${path}.${name}`)),
  );
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function fieldsOfSchema(schema: object, path = ''): string[] {
  const { properties, items }: JsonSchema = schema;
  if (items !== undefined) return fieldsOfSchema(items, path);
  if (properties === undefined) return [path];
  return unique(
    Object.entries(properties).flatMap(([name, inner]) =>
      fieldsOfSchema(inner, path === '' ? name : `${path}.${name}`),
    ),
  );
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
