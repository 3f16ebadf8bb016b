/** Who may talk to the API server: an admin, two people of different groups, the components; tokens and kubeconfigs. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { layout, server } from './addresses.ts';
import { authorityPem, certificatePathsOf } from './certificates.ts';
import { clusterPath } from './state.ts';

/** Stands for scheduler and kubelet; where these run, it does not exist. */
const standIn = { name: 'stand-in', user: 'serin-test:stand-in', groups: ['system:masters'] } as const;

const everywhere = [
  { name: 'admin', user: 'admin', groups: ['system:masters'] },
  { name: 'alice', user: 'alice', groups: ['release-managers', 'developers'] },
  { name: 'bob', user: 'bob', groups: ['developers'] },
  { name: 'kube-controller-manager', user: 'system:kube-controller-manager', groups: [] },
  { name: 'kube-scheduler', user: 'system:kube-scheduler', groups: [] },
  { name: 'traefik', user: 'serin-test:traefik', groups: [] },
  { name: 'prometheus', user: 'serin-test:prometheus', groups: [] },
] as const;

const people = layout === 'control-plane' ? [...everywhere, standIn] : everywhere;

export type Identity = (typeof everywhere)[number]['name'] | 'stand-in';

/** The file of `--token-auth-file`. */
export function tokenFile(): string {
  return clusterPath('identities', 'tokens.csv');
}

/** File that holds one identity's bare token. */
export function tokenPath(identity: Identity): string {
  return clusterPath('identities', `${identity}.token`);
}

export function tokenOf(identity: Identity): string {
  return readFileSync(tokenPath(identity), 'utf8');
}

export function kubeconfigPath(identity: Identity): string {
  return clusterPath(identity === 'admin' ? 'kubeconfig' : `identities/${identity}.kubeconfig`);
}

/** A kubeconfig with one cluster, one user and one context; JSON is YAML too. */
function kubeconfig(user: Record<string, string>, at = { server, ca: authorityPem() }): string {
  const authority = Buffer.from(at.ca).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'serin-test', cluster: { server: at.server, 'certificate-authority-data': authority } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'serin-test', context: { cluster: 'serin-test', user: 'user', namespace: 'default' } }],
    'current-context': 'serin-test',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The kubelet shows a client certificate: the node authorizer knows it by that. */
export function nodeKubeconfigPath(): string {
  const path = clusterPath('identities', 'node.kubeconfig');
  const { certificate, key } = certificatePathsOf.node();
  writeFileSync(path, kubeconfig({ 'client-certificate': certificate, 'client-key': key }), { mode: 0o600 });
  return path;
}

/** Draws the tokens once in a cluster's life and writes the token file and a kubeconfig for each identity. */
export function ensureIdentities(): void {
  if (existsSync(tokenFile())) return;
  const lines = people.map(({ name, user, groups }) => {
    const token = randomBytes(24).toString('hex');
    writeFileSync(tokenPath(name), token, { mode: 0o600 });
    // Where somebody else chooses address and authority, they are known later.
    if (layout !== 'docker') writeFileSync(kubeconfigPath(name), kubeconfig({ token }), { mode: 0o600 });
    return `${token},${user},${user},"${groups.join(',')}"`;
  });
  writeFileSync(tokenFile(), `${lines.join('\n')}\n`, { mode: 0o600 });
}

/** The kubeconfig of one identity, for a server whose address and authority were not chosen here. */
export function writeKubeconfig(identity: Identity, address: string, ca: string): void {
  const text = kubeconfig({ token: tokenOf(identity) }, { server: address, ca });
  writeFileSync(kubeconfigPath(identity), text, { mode: 0o600 });
}
