/** The cluster's own certificate authority, the certificates it signs (by openssl) and the key of ServiceAccount tokens. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { kubernetesServiceAddress, nodeAddress, nodeName } from './addresses.ts';
import { run } from './commands.ts';
import { clusterPath } from './state.ts';

export interface Certificate {
  certificate: string;
  key: string;
}

/** Paths of a certificate and its key; the files may not be there yet. */
function certificatePaths(name: string): Certificate {
  return { certificate: clusterPath('certificates', `${name}.crt`), key: clusterPath('certificates', `${name}.key`) };
}

export const certificatePathsOf = {
  authority: (): Certificate => certificatePaths('ca'),
  server: (): Certificate => certificatePaths('apiserver'),
  kubeletClient: (): Certificate => certificatePaths('apiserver-kubelet-client'),
  node: (): Certificate => certificatePaths('node'),
  serviceAccounts: (): Certificate => certificatePaths('service-accounts'),
};

/** PEM text of the authority. */
export function authorityPem(): string {
  return readFileSync(certificatePathsOf.authority().certificate, 'utf8');
}

function writeKey(path: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(path, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
}

async function makeAuthority(): Promise<void> {
  const { certificate, key } = certificatePathsOf.authority();
  writeKey(key);
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const subject = ['-subj', '/CN=serin-test-cluster'];
  await run('openssl', [
    'req',
    '-x509',
    '-new',
    '-key',
    key,
    '-days',
    '365',
    ...subject,
    ...added,
    '-out',
    certificate,
  ]);
}

/** Signs a certificate for `subject`; `names` are the addresses that a server's certificate is valid for. */
async function sign(paths: Certificate, subject: string, names: string[]): Promise<void> {
  const authority = certificatePathsOf.authority();
  writeKey(paths.key);
  const request = `${paths.certificate}.request`;
  const extensions = `${paths.certificate}.extensions`;
  await run('openssl', ['req', '-new', '-key', paths.key, '-subj', subject, '-out', request]);
  const lines = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth,clientAuth'];
  if (names.length > 0) lines.push(`subjectAltName=${names.join(',')}`);
  writeFileSync(extensions, `${lines.join('\n')}\n`);
  const signer = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial'];
  const output = ['-days', '365', '-extfile', extensions, '-out', paths.certificate];
  await run('openssl', ['x509', '-req', '-in', request, ...signer, ...output]);
}

function serverNames(): string[] {
  const hosts = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const addresses = ['127.0.0.1', nodeAddress, kubernetesServiceAddress];
  return [...hosts.map((host) => `DNS:${host}`), ...addresses.map((address) => `IP:${address}`)];
}

/** ServiceAccount tokens are signed with this key and checked with its public half. */
function makeServiceAccountKey(): void {
  const { certificate, key } = certificatePathsOf.serviceAccounts();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, pair.privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(certificate, pair.publicKey.export({ type: 'spki', format: 'pem' }));
}

/** Makes all of them once in a cluster's life. */
export async function ensureCertificates(): Promise<void> {
  const finished = clusterPath('certificates', 'complete');
  if (existsSync(finished)) return;
  await makeAuthority();
  await sign(certificatePathsOf.server(), '/CN=kube-apiserver', serverNames());
  await sign(certificatePathsOf.kubeletClient(), '/O=system:masters/CN=kube-apiserver-kubelet-client', []);
  await sign(certificatePathsOf.node(), `/O=system:nodes/CN=system:node:${nodeName}`, [
    `IP:${nodeAddress}`,
    `DNS:${nodeName}`,
  ]);
  makeServiceAccountKey();
  writeFileSync(finished, '');
}
