/**
 * What the documentation shows as the answer of a command is what the command answers: in a cluster that has the objects of
 * examples/, with the Rollout in the state that the comment names in parentheses.
 */
import { parseAllDocuments } from 'yaml';
import { checkout, rolloutPath, statuses, trial } from '../../src/cli/trial.ts';
import { blocks, page, pagesIn } from './pages.ts';

const plurals: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  HTTPRoute: 'httproutes',
  MetricSource: 'metricsources',
  Namespace: 'namespaces',
  Service: 'services',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A terminal of 100 columns in front of the examples' cluster. */
function stage(state: keyof typeof statuses | undefined) {
  const given = ['.yaml', '.json'].flatMap((ending) => pagesIn('examples', ending));
  const files = Object.fromEntries(given.map(({ path, text }) => [path, text]));
  const made = trial({ files });
  const texts = ['examples/checkout/workload.yaml', 'examples/metric-source.yaml'].map((path) => page(path).text);
  for (const document of texts.flatMap((text) => parseAllDocuments(text))) {
    const object: Manifest = document.toJS();
    const api = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const { name, namespace } = object.metadata;
    const where = namespace === undefined ? '' : `/namespaces/${namespace}`;
    made.api.put(`${api}${where}/${plurals[object.kind] ?? ''}/${name}`, object);
  }
  if (state !== undefined) made.api.put(rolloutPath, checkout(statuses[state]));
  return made;
}

const shown = blocks.flatMap(({ path, outputOf, text }) => {
  const [, line, state] = /^serin (.*?)(?: \((\w+)\))?$/.exec(outputOf ?? '') ?? [];
  return line === undefined ? [] : [{ path, line, state: stateOf(state), text }];
});

function stateOf(word: string | undefined): keyof typeof statuses | undefined {
  if (word === undefined) return undefined;
  const known = (Object.keys(statuses) as (keyof typeof statuses)[]).find((state) => state === word);
  if (known === undefined) throw new Error(`no Rollout of the tests is ${word}`);
  return known;
}

test('there are some', () => {
  expect(shown.length).toBeGreaterThan(2);
});

test.each(shown.map(({ path, line, state, text }) => [path, line, state, text] as const))(
  '%s: serin %s answers that',
  async (_path, line, state, text) => {
    const { said, serin } = stage(state);
    await serin(line);
    expect({ out: withoutTails(said.out), err: said.err }).toEqual({ out: text, err: '' });
  },
);

/** Blanks at the ends of lines, which editors take away. */
function withoutTails(text: string): string {
  return text.replaceAll(/ +$/gm, '');
}

test('a block of output says which command it is of', () => {
  const unsaid = blocks.filter(({ language, outputOf }) => language === 'text' && outputOf === undefined);
  expect(unsaid.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
});
