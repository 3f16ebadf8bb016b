/** The closed lists of words are what the program says, neither more nor less; and the pages treat them all. */
import { CONDITION_REASONS, EVENT_REASONS, PHASES, REASONS, VERDICTS } from '../../src/api/reasons.ts';
import { pagesIn, page } from './pages.ts';

const notSpoken = /\.test\.ts$|src\/api\/(reasons|advice)\.ts$|sample-world\.ts$|trial\.ts$|fixtures\.ts$/;
const sources = pagesIn('src', '.ts').filter(({ path }) => !notSpoken.test(path));
const core = sources.filter(({ path }) => path.startsWith('src/release/'));

const wordIn = (text: string): string[] => [...text.matchAll(/'([A-Z]\w+)'/g)].map((found) => found[1] ?? '');
const spoken = new Set(sources.flatMap(({ text }) => wordIn(text)));
const unique = (words: readonly string[]): string[] => [...new Set(words)].toSorted();

/** Every word that stands behind `key:` in the core, up to the end of that value. */
function saidAs(key: string): string[] {
  return core.flatMap(({ text }) =>
    [...text.matchAll(new RegExp(`\\b${key}: ([^;,{}]*)`, 'g'))].flatMap((found) => wordIn(found[1] ?? '')),
  );
}

test('every phase is one that some Rollout can be in, and there is no other', () => {
  expect(saidAs('phase').filter((word) => !(word in PHASES))).toEqual([]);
  expect(Object.keys(PHASES).filter((phase) => !spoken.has(phase))).toEqual([]);
});

test('every reason is one that the program gives', () => {
  expect(Object.keys(REASONS).filter((reason) => !spoken.has(reason))).toEqual([]);
});

test('every verdict is one that the program gives, and there is no other', () => {
  expect(unique(saidAs('verdict'))).toEqual(unique(Object.keys(VERDICTS)));
});

test('the conditions have reasons of their own, or the reason of the status', () => {
  const types = ['Ready', 'Reconciling', 'Stalled', ...Object.keys(CONDITION_REASONS)];
  const others = [...types, 'True', 'False', 'Unknown', 'Idle'];
  const said = wordIn(page('src/release/conditions.ts').text).filter((word) => !others.includes(word));
  expect(unique(said)).toEqual(unique(Object.values(CONDITION_REASONS).flatMap((reasons) => Object.keys(reasons))));
});

test('the reasons of Events are those of the notes in the core, of every way back, and of looks that fail', () => {
  const [notes = [], causes = []] = [
    /\btype: [^{}]*?'(?:Normal|Warning)'[^{}]*?\breason: ([^,{}]*)/g,
    /\bwhy: '\w+',\s*reason: ([^,{}]*)/g,
  ].map((pattern) =>
    core.flatMap(({ text }) => [...text.matchAll(pattern)].flatMap((found) => wordIn(found[1] ?? ''))),
  );
  const troubles = wordIn(/trouble\??:[\s\S]*?\};/.exec(page('src/release/world.ts').text)?.[0] ?? '');
  expect(troubles.length).toBeGreaterThan(1);
  const failing = wordIn(/\breason: .*/.exec(page('src/controller/failures.ts').text)?.[0] ?? '');
  expect(failing).toHaveLength(1);
  expect(unique([...notes, ...causes, ...troubles, ...failing])).toEqual(unique(EVENT_REASONS));
});

describe('troubleshooting', () => {
  const { text } = page('docs/troubleshooting.md');

  const asking = Object.entries(REASONS).filter(([reason, [move]]) => move === 'user' || canStall(reason));

  test.each(asking.map(([reason]) => [reason]))('says what to do when a Rollout waits for a person: %s', (reason) => {
    expect(text).toContain(`\`${reason}\``);
  });

  test('links every reason that it names to the reference', () => {
    const named = [...text.matchAll(/\[`(\w+)`\]\(reference\/reasons\.md#(\w+)\)/g)];
    expect(named.filter(([, reason, anchor]) => reason?.toLowerCase() !== anchor)).toEqual([]);
    expect(named.map(([, reason]) => reason).filter((reason) => !(String(reason) in REASONS))).toEqual([]);
  });
});

/** A report with this reason somewhere says that a person must act. */
function canStall(reason: string): boolean {
  return core.some(({ text }) =>
    [...text.matchAll(/\{[^{}]*\breason: [^{}]*\}/g)].some(
      ([report]) => wordIn(report).includes(reason) && /\bstalled: (?!false)/.test(report),
    ),
  );
}

test('safety has S1 to S18, and every one that the code cites', () => {
  const stated = new Set([...page('docs/safety.md').text.matchAll(/^- \*\*(S\d+) /gm)].map((found) => found[1]));
  expect([...stated]).toEqual(Array.from({ length: 18 }, (_, index) => `S${index + 1}`));
  const cited = pagesIn('src', '.ts').flatMap(({ text }) => [...text.matchAll(/\bS\d+\b/g)].map((found) => found[0]));
  expect(cited.filter((name) => !stated.has(name))).toEqual([]);
});

test('every policy is named where policies are explained', () => {
  const names = pagesIn('deploy/policies', '.yaml').flatMap(({ text }) =>
    [...text.matchAll(/^ {2}name: (serin-[\w-]+)$/gm)].map((found) => found[1]),
  );
  expect(names.filter((name) => !page('docs/safety.md').text.includes(`\`${name}\``))).toEqual([]);
});

test('every dependency has a line on why', () => {
  const { dependencies, devDependencies, optionalDependencies }: Readonly<Record<string, object>> = JSON.parse(
    page('package.json').text,
  );
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(names.filter((name) => !page('docs/dependencies.md').text.includes(`\`${name}\``))).toEqual([]);
});
