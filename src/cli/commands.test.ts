/** Help: every example is a line that works, and whoever mistypes is told what was probably meant. */
import type { Command } from 'commander';
import { examplesOf } from './command-parts.ts';
import { commandLine } from './commands.ts';
import { trial } from './trial.ts';

const wordsOf = (line: string): string[] => line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];

/** The program, doing nothing when a command is called. */
function idle(): { readonly program: Command; readonly called: string[] } {
  const called: string[] = [];
  const program = commandLine(trial({ hasNoCluster: true }).around, { exitCode: 0 });
  for (const command of program.commands) command.action(() => void called.push(command.name()));
  return { program, called };
}

const { program: whole } = idle();
const examples = [whole, ...whole.commands].flatMap((command) =>
  examplesOf(command).map((line): [string, string] => [command.name(), line]),
);

test.each(whole.commands.map((command) => command.name()))('%s has examples', (name) => {
  expect(examples.some(([command]) => command === name)).toBe(true);
});

test.each(examples)('example of %s: %s', async (_command, line) => {
  const { program, called } = idle();
  // Redirections and pipes are the shell's.
  await program.parseAsync(wordsOf(line.replace(/ [>|] .*/, '')), { from: 'user' });
  expect(called).toEqual([line.split(' ')[0]]);
});

test.each([
  'version',
  'version -o json',
  'init checkout --service checkout --route checkout',
  'completion bash',
  'help watch',
])('it works without a cluster: %s', async (line) => {
  const { said, serin } = trial({ hasNoCluster: true });
  expect(await serin(line)).toBe(0);
  expect(said.out).not.toBe('');
  expect(said.err).toBe('');
});

test('help of a command is the same by both ways', async () => {
  const [one, other] = [trial(), trial()];
  expect(await one.serin('help get')).toBe(0);
  expect(await other.serin('get --help')).toBe(0);
  expect(one.said.out).toBe(other.said.out);
  expect(one.said.out).toContain('Usage: serin get [options] [names...]');
});

test('help alone lists every command, sorted by when it is needed', async () => {
  const { said, serin } = trial();
  expect(await serin('help')).toBe(0);
  for (const heading of ['Before a release:', 'During and after a release:', 'Serin itself:'])
    expect(said.out).toContain(heading);
});

test.each([
  ['gte', 'error: unknown command \'gte\'. Did you mean get? See "serin --help".'],
  ['help wach', 'error: unknown command \'wach\'. Did you mean watch? See "serin --help".'],
  ['frobnicate', 'error: unknown command \'frobnicate\'. See "serin --help".'],
  [
    'get --all-namespace',
    'error: unknown option \'--all-namespace\'. Did you mean --all-namespaces? See "serin get --help".',
  ],
  [
    'get -o xml',
    "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are json, yaml, wide, name. See \"serin get --help\".",
  ],
  ['abort', 'error: missing required argument \'name\'. See "serin abort --help".'],
  ['demo --bad-rate 2', /Write a share from 0 to 1\. See "serin demo --help"\./],
])('serin %s is exit code 2 and one line with a hint', async (line, words) => {
  const { said, serin } = trial();
  expect(await serin(line)).toBe(2);
  expect(said.out).toBe('');
  expect(said.err.trimEnd().split('\n')).toHaveLength(1);
  if (typeof words === 'string') expect(said.err).toBe(`${words}\n`);
  else expect(said.err).toMatch(words);
});
