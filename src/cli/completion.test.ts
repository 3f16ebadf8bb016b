/** Completion: what is offered where, and that the script works in a real bash that has nothing else installed. */
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sampleCluster } from './check/sample-cluster.ts';
import { bashScript, kubectlScript } from './completion-scripts.ts';
import { run } from './program.ts';
import { trial, type Trial } from './trial.ts';

/** The candidates for the last of `words`, without their meanings. */
async function offers(words: readonly string[], { around, said }: Trial = sampleCluster()): Promise<string[]> {
  expect(await run(['complete', '--', ...words], around)).toBe(0);
  expect(said.err).toBe('');
  return said.out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
}

test.each([
  [['w'], ['watch', ':4']],
  [['--cont'], ['--context', ':4']],
  [
    ['get', '--all'],
    ['--all-namespaces', ':4'],
  ],
  [
    ['get', '--kubec'],
    ['--kubeconfig', ':4'],
  ],
  [
    ['get', '-o', ''],
    ['json', 'yaml', 'wide', 'name', ':4'],
  ],
  [
    ['get', '-o', 'y'],
    ['yaml', ':4'],
  ],
  [
    ['get', '--output=w'],
    ['wide', ':4'],
  ],
  [
    ['get', ''],
    ['checkout', ':4'],
  ],
  [
    ['get', '--output=wide', 'che'],
    ['checkout', ':4'],
  ],
  [
    ['-n', 'shop', 'watch', 'c'],
    ['checkout', ':4'],
  ],
  [
    ['watch', '--timeout', '5m', ''],
    ['checkout', ':4'],
  ],
  [['get', 'checkout', ''], [':4']],
  [['watch', 'checkout', ''], [':4']],
  [['plan', '-f', ''], [':0']],
  [['plan', '--filename=r'], [':0']],
  [['get', '--kubeconfig', ''], [':0']],
  [
    ['init', ''],
    ['checkout', ':4'],
  ],
  [
    ['init', 'checkout', '--service', ''],
    ['checkout', ':4'],
  ],
  [
    ['check', '--target', ''],
    ['deployment/checkout', ':4'],
  ],
  [
    ['completion', 'b'],
    ['bash', ':4'],
  ],
  [
    ['help', 'exp'],
    ['explain', ':4'],
  ],
  [['abort', 'checkout', '--reason', ''], [':4']],
  [['get', '--', '-'], [':4']],
  [['nosuch', ''], expect.arrayContaining(['get', ':4'])],
])('%j', async (words, candidates) => {
  expect(await offers(words)).toEqual(candidates);
});

test('namespaces come from the cluster, and names from the namespace of the line', async () => {
  const cluster = sampleCluster();
  cluster.api.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } });
  cluster.api.put('/api/v1/namespaces/cart', { metadata: { name: 'cart' } });
  expect(await offers(['get', '-n', 's'], cluster)).toEqual(['shop', ':4']);
  expect(await offers(['get', '-n', 'cart', ''])).toEqual([':4']);
});

test('commands and options come with what they mean', async () => {
  const { around, said } = sampleCluster();
  await run(['complete', '--', 'ge'], around);
  expect(said.out).toBe('get\tList Rollouts.\n:4\n');
});

test('without a cluster there is silently nothing', async () => {
  expect(await offers(['get', ''], trial({ hasNoCluster: true }))).toEqual([':4']);
});

test('a cluster that does not answer is waited for a moment only', async () => {
  const stage = sampleCluster();
  const { api, clock } = stage;
  api.request = (_request, signal?: AbortSignal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const answer = offers(['get', ''], stage);
  await clock.advance(2_000);
  expect(await answer).toEqual([':4']);
});

describe('the script for bash', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'serin-completion-'));
    const serin = join(directory, 'serin');
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    await writeFile(serin, `#!/bin/bash\nexec '${process.execPath}' '${main}' "$@"\n`);
    await chmod(serin, 0o755);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** As readline calls it: `words` as bash splits them, the last one under the cursor. */
  function replies(words: readonly string[], more = ''): Promise<string[]> {
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const last = words.length - 1;
    const body = `${bashScript}\n${bashScript}\n${more}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${last}\n__serin_complete "\${COMP_WORDS[0]}" "\${COMP_WORDS[${last}]}" ''\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { PATH: `${directory}:/usr/bin:/bin`, KUBECONFIG: '/nowhere', HOME: directory };
    return new Promise((resolve, reject) => {
      execFile('bash', ['--norc', '-euc', body], { env, cwd: directory }, (error, out, err) =>
        error === null && err === ''
          ? resolve(out.split('\n').filter((line) => line !== ''))
          : reject(error ?? new Error(err)),
      );
    });
  }

  const testInBash = spawnSync('bash', ['--version']).status === 0 ? test : test.skip;
  const patienceMs = 60_000;

  testInBash(
    'completes commands, options and values, also after an equals sign, where bash splits the word',
    async () => {
      expect(await replies(['serin', 'w'])).toEqual(['watch']);
      expect(await replies(['serin', 'get', '--output', '=', 'y'])).toEqual(['yaml']);
      expect(await replies(['serin', 'get', '--output', '='])).toEqual(['json', 'yaml', 'wide', 'name']);
      expect(await replies(['serin', 'get', 'nosuch', ''])).toEqual([]);
    },
    patienceMs,
  );

  testInBash(
    'completes file names where a file is wanted',
    async () => {
      expect(await replies(['serin', 'plan', '-f', 'se'])).toEqual(['serin']);
    },
    patienceMs,
  );

  testInBash(
    'runs nothing of what was typed',
    async () => {
      const trap = `$(touch '${join(directory, 'ran')}')`;
      await replies(['serin', 'abort', 'x', '--reason', `"it's`, trap, '`false`', '']);
      expect(await replies(['serin', 'plan', '-f', 'ra'])).toEqual([]);
    },
    patienceMs,
  );
});

test('every shell gets a script for serin, and kubectl one for its plugin', async () => {
  const { said, serin } = trial({ hasNoCluster: true });
  expect(await serin('completion bash')).toBe(0);
  expect(said.out).toBe(bashScript);
  expect(await serin('completion tcsh')).toBe(2);
  expect(spawnSync('sh', ['-n'], { input: kubectlScript }).status).toBe(0);
  expect(kubectlScript).toContain('complete -- "$@"');
});

test.each(['zsh', 'fish', 'powershell'])('the script for %s asks the program in the same way', (shell) => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toContain('serin complete');
  const checker = spawnSync(shell, ['--version']).status === 0;
  if (checker && shell !== 'powershell') expect(spawnSync(shell, ['-n'], { input: stdout }).status).toBe(0);
});
