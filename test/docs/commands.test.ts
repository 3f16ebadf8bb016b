/** Every command line that the documentation shows is one that its program takes, with files and scripts that exist. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { EXIT } from '../../src/api/reasons.ts';
import { commandLine } from '../../src/cli/commands.ts';
import { trial } from '../../src/cli/trial.ts';
import { page, pages, root, typed } from './pages.ts';

/** What a page may ask a reader to type. A word that is not here is looked at before it is added. */
const programs = 'alias cd chmod curl docker echo git grep kubectl node npm sed serin sleep source tar true'.split(' ');

const verbs = (
  'annotate api-resources apply auth config create delete describe events explain get kustomize label logs patch ' +
  'port-forward rollout run scale serin set version wait'
).split(' ');

const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(page('package.json').text);

const ours = typed.flatMap(({ path, words }) => {
  const [first, second, third, ...rest] = words;
  if (first === 'serin') return [{ path, args: words.slice(1) }];
  if (first === 'kubectl' && second === 'serin') return [{ path, args: words.slice(2) }];
  const isScript = first === 'npm' && second === 'run' && third === 'serin';
  return isScript ? [{ path, args: rest.filter((word) => word !== '--') }] : [];
});

/** Parses as the program does and does nothing. Gives what it would complain about. */
function complaintAbout(args: readonly string[]): string | undefined {
  const { around } = trial();
  const program = commandLine(around, { exitCode: 0 });
  for (const command of program.commands) command.action(() => {});
  try {
    program.parse([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? undefined : error.message;
    throw error;
  }
}

describe('serin', () => {
  test('is called by the pages, and not only once', () => {
    expect(ours.length).toBeGreaterThan(10);
  });

  test.each(ours.map(({ path, args }) => [path, args.join(' '), args]))('%s: serin %s', (_path, _line, args) => {
    expect(complaintAbout(args)).toBeUndefined();
  });

  const inText = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`serin ([a-z][^`]*)`/g)].map((found) => ({ path, words: (found[1] ?? '').split(/\s+/) })),
  );

  test.each(inText.map(({ path, words }) => [path, words.join(' '), words]))(
    '%s: serin %s has that name and those options',
    (_path, _line, [name, ...words]) => {
      const program = commandLine(trial().around, { exitCode: 0 });
      const command = program.commands.find((one) => one.name() === name);
      expect(command?.name()).toBe(name);
      const known = [...program.options, ...(command?.options ?? [])].flatMap(({ short, long }) => [short, long]);
      for (const word of words.filter((one) => one.startsWith('-'))) expect(known).toContain(word.replace(/=.*/, ''));
    },
  );

  test('every command of the program is in some page', () => {
    const text = pages.map((one) => one.text).join('\n');
    const names = commandLine(trial().around, { exitCode: 0 }).commands.map((command) => command.name());
    const isTold = (name: string): boolean => new RegExp(`serin ${name}\\b|\`${name}\``).test(text);
    expect(names.filter((name) => !isTold(name))).toEqual([]);
  });

  test('its help names every exit code', () => {
    const { said, serin } = trial();
    return serin('--help').then(() => {
      for (const code of Object.values(EXIT)) expect(said.out).toMatch(new RegExp(`\\b${code} [a-z]`));
    });
  });
});

test.each(typed.map(({ path, line, words }) => [path, line, words]))('%s: %s', (_path, _line, words) => {
  expect(programs).toContain(words[0]);
  if (words[0] === 'kubectl') expect(verbs).toContain(words.slice(1).find((word) => !isOptionOf(words, word)));
});

/** An option before the verb, or its value. */
function isOptionOf(words: readonly string[], word: string): boolean {
  const before = words[words.indexOf(word) - 1] ?? '';
  return word.startsWith('-') || ['--kubeconfig', '--context', '-n', '--namespace'].includes(before);
}

describe('npm', () => {
  const runs = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run ([\w:]+)/g)].map((found) => [path, found[1] ?? '']),
  );

  test.each(runs)('%s: npm run %s exists', (_path, script) => {
    expect(Object.keys(scripts)).toContain(script);
  });
});

describe('files', () => {
  const flags = ['-f', '-k', '--filename', '--kustomize'];
  const named = typed.flatMap(({ path, words }) =>
    words.flatMap((word, index) =>
      words[0] !== 'grep' && flags.includes(word) && !/^(https?:|-$|\$)/.test(words[index + 1] ?? '-')
        ? [[path, words[index + 1] ?? '']]
        : [],
    ),
  );

  test.each(named)('%s: %s exists', (_path, file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });
});
