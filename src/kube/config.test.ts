import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConnection } from './config.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  path = join(folder, 'config');
});

afterEach(() => rm(folder, { recursive: true }));

async function write(user: object, cluster: object = {}): Promise<void> {
  await writeFile(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'one',
      clusters: [{ name: 'c', cluster: { server: 'https://example.test:6443', ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [
        { name: 'one', context: { cluster: 'c', user: 'u' } },
        { name: 'two', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
        { name: 'broken', context: { cluster: 'none', user: 'u' } },
      ],
    }),
  );
}

test('reads server, namespace, certificate authority and token', async () => {
  await write({ token: 'abc' }, { 'certificate-authority-data': Buffer.from('PEM').toString('base64') });
  const connection = loadConnection({ kubeconfig: path });
  expect(connection).toMatchObject({ server: 'https://example.test:6443', namespace: 'default', context: 'one' });
  const { tls, headers } = await connection.credentials(false);
  expect(headers).toEqual({ authorization: 'Bearer abc' });
  expect(String(tls.ca)).toBe('PEM');
  expect(loadConnection({ kubeconfig: path, context: 'two' }).namespace).toBe('shop');
});

test('reads a client certificate, a password, and the wish not to verify', async () => {
  await write(
    { 'client-certificate-data': data('CERT'), 'client-key-data': data('KEY') },
    { 'insecure-skip-tls-verify': true },
  );
  const { tls } = await loadConnection({ kubeconfig: path }).credentials(false);
  expect([String(tls.cert), String(tls.key), tls.rejectUnauthorized]).toEqual(['CERT', 'KEY', false]);
  await write({ username: 'ann', password: 'pw' });
  const { headers } = await loadConnection({ kubeconfig: path }).credentials(false);
  expect(headers).toEqual({ authorization: `Basic ${data('ann:pw')}` });
});

test('fresh credentials come from the file as it is now', async () => {
  await write({ token: 'old' });
  const connection = loadConnection({ kubeconfig: path });
  await write({ token: 'new' });
  expect((await connection.credentials(false)).headers).toEqual({ authorization: 'Bearer old' });
  expect((await connection.credentials(true)).headers).toEqual({ authorization: 'Bearer new' });
});

test('says what is wrong with what it was given', async () => {
  expect(() => loadConnection({ kubeconfig: path })).toThrow(`cannot read the kubeconfig ${path}`);
  await write({});
  expect(() => loadConnection({ kubeconfig: path, context: 'three' })).toThrow('has no context "three"');
  expect(() => loadConnection({ kubeconfig: path, context: 'broken' })).toThrow('names no cluster');
  await write({}, { 'proxy-url': 'socks5://localhost:1080' });
  expect(() => loadConnection({ kubeconfig: path })).toThrow('only http and https proxies');
});

function data(text: string): string {
  return Buffer.from(text).toString('base64');
}
