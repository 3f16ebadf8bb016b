/** The program as a whole: help, usage errors, names, and that nothing is left open. */
import { KubeError } from '../kube/errors.ts';
import { CliError, failureOf } from './failure.ts';
import { programNameOf } from './program.ts';
import { terminalOn } from './terminal.ts';
import { trial } from './trial.ts';

const kube = (code: KubeError['code'], facts: object = {}): KubeError =>
  new KubeError('get Rollout shop/checkout: something', { code, retry: 'never', ...facts });

const stream = (isTTY: boolean) => ({ isTTY, write: () => true });

test('without a command it shows what there is', async () => {
  const { said, serin } = trial();
  expect(await serin('')).toBe(0);
  for (const command of [
    'get',
    'watch',
    'explain',
    'plan',
    'pause',
    'resume',
    'abort',
    'retry',
    'promote',
    'skip',
    'restore-flags',
    'version',
    'operator',
  ])
    expect(said.out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
});

test.each([
  'frobnicate',
  'get --nonsense',
  'get -o xml',
  'abort',
  'watch a b',
  'watch a --timeout soon',
  'plan',
  'plan a -f b.yaml',
])('wrong usage is exit code 2 and one line: serin %s', async (line) => {
  const { said, serin } = trial();
  expect(await serin(line)).toBe(2);
  expect(said.out).toBe('');
  expect(said.err.trimEnd().split('\n')).toHaveLength(1);
  expect(said.err).toMatch(/^error: /);
});

test('every command has examples and shows the global options', async () => {
  for (const command of ['get', 'watch', 'explain', 'plan', 'abort', 'version', 'operator']) {
    const { said, serin } = trial();
    expect(await serin(`${command} --help`)).toBe(0);
    expect(said.out).toContain('Examples:');
    expect(said.out).toContain('--kubeconfig');
  }
});

test('as a plugin of kubectl it calls itself so', async () => {
  expect([
    programNameOf('/usr/local/bin/kubectl-serin'),
    programNameOf('/opt/dist/serin.js'),
    programNameOf(undefined),
  ]).toEqual(['kubectl serin', 'serin', 'serin']);
  const { said, serin } = trial({ programName: 'kubectl serin' });
  await serin('get nosuch');
  expect(said.err).toContain('kubectl serin get -A');
});

test('version needs no cluster', async () => {
  const { said, serin } = trial({ hasNoCluster: true });
  expect(await serin('version -o json')).toBe(0);
  expect(JSON.parse(said.out)).toMatchObject({ clientVersion: { api: 'serin.dev/v1alpha1' } });
});

test('without a cluster the error says so, in one line and exit code 1', async () => {
  const { said, serin } = trial({ hasNoCluster: true });
  expect(await serin('get')).toBe(1);
  expect(said.err).toBe('error: no kubeconfig found\n');
});

describe('failures', () => {
  test.each([
    [new CliError('not so'), 'error: not so', 1],
    [new Error('a fault'), 'error: a fault', 1],
    [
      kube('Network'),
      'Unable to connect to the server: get Rollout shop/checkout: something; check the cluster and --context',
      1,
    ],
    [
      kube('Unauthorized', { httpStatus: 401 }),
      'error: You must be logged in to the server (Unauthorized); log in again or check the credentials of the context',
      1,
    ],
    [
      kube('Conflict', { reason: 'Conflict' }),
      'Error from server (Conflict): get Rollout shop/checkout: something; try again',
      1,
    ],
    [
      new KubeError('get Deployment shop/checkout: the API server refused: deployments.apps "checkout" not found', {
        code: 'NotFound',
        retry: 'never',
        reason: 'NotFound',
      }),
      'Error from server (NotFound): deployments.apps "checkout" not found; see which there are with kubectl get deployments.apps -A',
      6,
    ],
    [kube('Forbidden'), 'Error from server (Forbidden): get Rollout shop/checkout: something', 6],
  ])('%p', (error, line, exitCode) => {
    expect(failureOf(error, 'serin')).toEqual({ line, exitCode });
  });

  test('an act that nobody stamped names the policy that is missing', () => {
    const error = kube('Invalid', { reason: 'Invalid', causes: [{ field: 'spec.by' }] });
    expect(failureOf(error, 'serin').line).toContain('deploy/policies');
  });
});

describe('colours', () => {
  test.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
  ])('on %s: %p %p', (_where, isTTY, env, hasColour) => {
    expect(terminalOn({ out: stream(isTTY), err: stream(isTTY), env }).hasColour).toBe(hasColour);
  });
});

test.each([
  [120, 120],
  [0, 80],
  [undefined, 80],
  [3, 40],
])('a terminal of %p columns is drawn with %p', (columns, drawn) => {
  const out = { ...stream(true), ...(columns === undefined ? {} : { columns }) };
  expect(terminalOn({ out, err: stream(true), env: {} }).columns).toBe(drawn);
});
