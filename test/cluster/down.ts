/**
 * `npm run cluster:down`: ends the processes that `cluster:up` started (by their ids), the pods' containers, their mounts
 * and network, and removes the cluster's data; clusters of every layout. The build cache stays.
 */
import { existsSync, rmSync } from 'node:fs';
import { layout, layouts } from './addresses.ts';
import { asLayout } from './as-layout.ts';
import { removeContainer } from './docker.ts';
import { messageOf } from './faults.ts';
import { withClusterLock } from './lock.ts';
import { removeBridge } from './network.ts';
import { endShims, removePods, unmountAll } from './pods.ts';
import { knownProcesses, runningPid, stopProcess } from './processes.ts';
import { startContainerd } from './containerd.ts';
import { clusterDirectory } from './state.ts';

/** First what would start something anew, last what the others need. */
const first = ['prometheus', 'traefik', 'kubelet', 'stand-in', 'kube-scheduler', 'kube-controller-manager'];
const last = ['kube-apiserver', 'etcd'];

/** Containers outlive a containerd that died: it is started again to remove them. */
async function removeContainers(say: (line: string) => void): Promise<void> {
  if (!knownProcesses().includes('containerd')) return;
  try {
    if (runningPid('containerd') === undefined) await startContainerd();
    await removePods();
  } catch (error) {
    say(`containers could not be removed in order: ${messageOf(error)}`);
  }
  await stopProcess('containerd');
  await endShims();
}

/** The cluster of this process's layout. */
async function takeDown(say: (line: string) => void): Promise<void> {
  if (!existsSync(clusterDirectory())) return say('no cluster is up');
  await withClusterLock(async () => {
    await Promise.all(first.map((name) => stopProcess(name)));
    await removeContainers(say);
    // The API server waits a minute for its watchers before it ends by itself; nobody is left to be waited for.
    for (const name of last) await stopProcess(name, 2000);
    if (layout === 'docker') await removeContainer();
    if (layout === 'node') {
      await unmountAll();
      await removeBridge();
    }
    rmSync(clusterDirectory(), { recursive: true, force: true, maxRetries: 3 });
  });
  say('the cluster is down');
}

/** Unless one layout is named: clusters of the others too, each by a process of its own. */
async function takeAllDown(say: (line: string) => void): Promise<void> {
  await takeDown(say);
  if (process.env['SERIN_TEST_LAYOUT'] !== undefined) return;
  for (const other of layouts) {
    if (other === layout || !existsSync(clusterDirectory(other))) continue;
    say(`${other}: ${(await asLayout(other, 'down.ts')).trim()}`);
  }
}

if (import.meta.main) {
  await takeAllDown((line) => console.log(line)).catch((error: Error) => {
    console.error(`cluster:down failed: ${error.message}`);
    process.exitCode = 1;
  });
}
