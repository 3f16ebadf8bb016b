/**
 * `npm run cluster:up`: starts what does not run yet, part by part, and prints where the cluster is. `--available` starts
 * only the parts whose programs are built already (for use while `cluster:build` still runs). What kind of cluster it is
 * says SERIN_TEST_LAYOUT.
 */
import { layout } from './addresses.ts';
import { missingBinaries } from './binaries.ts';
import { bringUpInDocker } from './docker.ts';
import { messageOf } from './faults.ts';
import { withClusterLock } from './lock.ts';
import { parts, recordServed } from './parts.ts';
import { runningPid } from './processes.ts';
import { readState } from './state.ts';
import type { ClusterState } from './state.ts';

/** The lines that a person wants to see at the end. */
export function describe(state: ClusterState): string[] {
  return [
    `kubeconfig   ${state.kubeconfig}`,
    `kubectl      ${state.kubectl}`,
    `API server   ${state.server}`,
    `gateway      ${state.gatewayUrl ?? 'not running'}`,
    `Prometheus   ${state.prometheusUrl ?? 'not running'}`,
    `audit log    ${state.auditLog ?? 'not on this machine'}`,
  ];
}

function requireUsableMachine(availableOnly: boolean): void {
  if (process.platform !== 'linux') throw new Error('the local cluster runs on Linux only');
  if (layout === 'node' && process.getuid?.() !== 0)
    throw new Error('the local cluster needs root (containers and a network bridge)');
  const missing = missingBinaries();
  if (missing.length > 0 && !availableOnly) {
    throw new Error(`not built: ${missing.join(', ')}; run: npm run cluster:build`);
  }
}

/** Brings every part up; gives the state that was written. Only one process does this at a time. */
export async function bringUp(say: (line: string) => void, availableOnly = false): Promise<ClusterState> {
  if (layout === 'docker') return withClusterLock(() => bringUpInDocker(say));
  requireUsableMachine(availableOnly);
  return withClusterLock(async () => {
    const missing = new Set<string>(missingBinaries());
    const start = Date.now();
    const ranAlready = parts.every(({ process: name }) => name === undefined || runningPid(name) !== undefined);
    for (const part of parts) {
      if (part.needs.some((name) => missing.has(name))) {
        say(`${part.name}: left out, not built yet`);
        continue;
      }
      const began = Date.now();
      await part.start();
      if (!ranAlready) say(`${part.name}: up (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    }
    const took = `${((Date.now() - start) / 1000).toFixed(1)} s`;
    if (!missing.has('kube-apiserver')) await recordServed();
    say(ranAlready ? `the cluster was up already, all parts answer (${took})` : `the cluster is up (${took})`);
    const state = readState();
    if (!state) throw new Error('no part of the cluster could be started');
    return state;
  });
}

if (import.meta.main) {
  const available = process.argv.includes('--available');
  try {
    const state = await bringUp((line) => console.log(line), available);
    console.log(describe(state).join('\n'));
  } catch (error) {
    console.error(`cluster:up failed: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
