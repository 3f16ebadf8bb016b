/** Applying objects to the cluster by kubectl, as the admin. */
import { existsSync, writeFileSync } from 'node:fs';
import { binaryPath } from './binaries.ts';
import { run } from './commands.ts';
import { kubeconfigPath } from './identities.ts';
import { clusterPath } from './state.ts';

/** Does `work` unless it was done in this cluster's life; `marker` is the file that remembers it. */
export async function once(marker: string, work: () => Promise<void>): Promise<void> {
  const path = clusterPath(marker);
  if (existsSync(path)) return;
  await work();
  writeFileSync(path, '');
}

/** Runs kubectl as the admin and gives what it printed. */
export function kubectl(args: string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  return run(binaryPath('kubectl'), ['--kubeconfig', kubeconfigPath('admin'), ...args], options);
}

/** Server-side apply: the definitions are too large for kubectl's annotation. */
export async function applyFiles(directory: string): Promise<void> {
  await kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=serin-test-cluster', '-f', directory]);
}

export async function applyObjects(objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  const flags = ['--server-side', '--force-conflicts', '--field-manager=serin-test-cluster'];
  await kubectl(['apply', ...flags, '-f', '-'], JSON.stringify(list));
}
