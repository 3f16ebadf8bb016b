import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterMeant } from './meant.ts';

let cache: string;
let before: string | undefined;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'serin-meant-'));
  mkdirSync(join(cache, 'cluster'));
  writeFileSync(join(cache, 'cluster', 'kubeconfig'), '');
  before = process.env['KUBECONFIG'];
});

afterEach(() => {
  rmSync(cache, { recursive: true });
  if (before === undefined) delete process.env['KUBECONFIG'];
  else process.env['KUBECONFIG'] = before;
});

/** As if kubectl had a cluster. */
function withKubeconfig(): void {
  const file = join(cache, 'own.kubeconfig');
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': 'own',
      clusters: [{ name: 'own', cluster: { server: 'https://own' } }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'me' } }],
      users: [{ name: 'me', user: {} }],
    }),
  );
  process.env['KUBECONFIG'] = file;
}

test('what the user names is meant, whatever else is there', () => {
  const env = { SERIN_CACHE_DIR: cache, SERIN_TEST_KUBECONFIG: '/tests' };
  expect(clusterMeant({ context: 'production' }, env)).toEqual({ context: 'production' });
  expect(clusterMeant({ kubeconfig: '/mine' }, env)).toEqual({ kubeconfig: '/mine' });
});

test('then the cluster of the tests, then that of kubectl', () => {
  withKubeconfig();
  expect(clusterMeant({}, { SERIN_CACHE_DIR: cache, SERIN_TEST_KUBECONFIG: '/tests' })).toEqual({
    kubeconfig: '/tests',
  });
  expect(clusterMeant({}, { SERIN_CACHE_DIR: cache })).toEqual({});
});
