/** The single binary: built once, and run without Node.js in reach, also against a real API server. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isUnavailable, notRun, openCluster } from '../test/cluster/cluster.ts';
import { buildBinary, obstacleIn } from './binary.ts';

const cluster = await openCluster();
const obstacle = await obstacleIn(process.execPath);
const describeIf = obstacle === undefined ? describe : describe.skip;
const patienceMs = 180_000;

const sentence = 'one file with everything in it';

describeIf(obstacle === undefined ? sentence : notRun(sentence, obstacle), () => {
  let directory: string;
  let binary: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'serin-binary-test-'));
    binary = join(directory, 'kubectl-serin');
    await buildBinary(new URL('../', import.meta.url), pathToFileURL(binary));
  }, patienceMs);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  function started(file: string, args: readonly string[]) {
    return new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile(file, [...args], { env: { PATH: '/nowhere', HOME: directory } }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  test(
    'it says its version and calls itself as kubectl does',
    async () => {
      const version = await started(binary, ['version', '-o', 'json']);
      expect(version).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(version.out)).toMatchObject({ clientVersion: { api: 'serin.dev/v1alpha1' } });
      expect((await started(binary, ['--help'])).out).toContain('kubectl serin get -A');
    },
    patienceMs,
  );

  test(
    'under the name serin it is serin',
    async () => {
      const serin = join(directory, 'serin');
      await symlink(binary, serin);
      expect((await started(serin, ['help', 'get'])).out).toContain('serin get -A -o wide');
      expect((await started(serin, ['frobnicate'])).code).toBe(2);
    },
    patienceMs,
  );

  const testOnCluster = isUnavailable(cluster) ? test.skip : test;
  const talking = 'it talks to a real API server';

  testOnCluster(
    isUnavailable(cluster) ? notRun(talking, cluster.unavailable) : talking,
    async () => {
      if (isUnavailable(cluster)) return;
      const { code, err } = await started(binary, ['get', '-n', 'default', '--kubeconfig', cluster.kubeconfig]);
      expect({ code, err }).toEqual({ code: 0, err: 'No rollouts found in default namespace.\n' });
    },
    patienceMs,
  );
});
