/** What pods leave on the machine: containers, their network namespaces, mounts. Only those of our containerd are touched. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryRun, waitUntil } from './commands.ts';
import { cniNetwork, containerdSocket, ctr } from './containerd.ts';
import { clusterDirectory } from './state.ts';

/** What `ctr containers info` prints, as far as it is read here. */
interface ContainerInfo {
  Spec?: { linux?: { namespaces?: { type: string; path?: string }[] } };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Network namespaces of the pods, from the containers' own specifications: those of other programs must stay. */
async function networkNamespaces(containers: string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const container of containers) {
    const text = await ctr(['containers', 'info', container]).catch(() => '{}');
    const info: ContainerInfo = JSON.parse(text);
    for (const { type, path } of info.Spec?.linux?.namespaces ?? []) {
      if (type === 'network' && path?.includes('/netns/')) found.add(path);
    }
  }
  return found;
}

/** Ends every container of our containerd and removes it with its network. Nothing is asked of the API server. */
export async function removePods(): Promise<void> {
  const containers = words(await ctr(['containers', 'list', '--quiet']));
  const namespaces = await networkNamespaces(containers);
  const tasks = words(await ctr(['tasks', 'list', '--quiet']));
  await Promise.all(tasks.map((task) => ctr(['tasks', 'delete', '--force', task]).catch(() => undefined)));
  if (containers.length > 0) await ctr(['containers', 'delete', ...containers]).catch(() => undefined);
  for (const path of namespaces) {
    await tryRun('umount', ['--lazy', path]);
    rmSync(path, { force: true });
  }
  removeNetworkResults(containers);
}

/** The CNI library remembers each pod's networks in a directory that all programs share; the file names say whose they are. */
function removeNetworkResults(containers: string[]): void {
  for (const container of containers) {
    for (const file of [`${cniNetwork}-${container}-eth0`, `cni-loopback-${container}-lo`]) {
      rmSync(join('/var/lib/cni/results', file), { force: true });
    }
  }
}

/** Processes that serve our containerd's containers: their command line names our socket. */
function shims(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return command.includes('containerd-shim') && command.includes(`\0${containerdSocket()}\0`);
    } catch {
      return false;
    }
  });
}

/** A shim ends with its last container; one that does not is killed. */
export async function endShims(): Promise<void> {
  await waitUntil('the container shims to end', async () => shims().length === 0, 5000).catch(() => undefined);
  for (const pid of shims()) process.kill(pid, 'SIGKILL');
}

/** Unmounts everything below a directory, innermost first: deleting must never reach into a mount. */
export async function unmountAll(directory = clusterDirectory()): Promise<void> {
  const below = `${directory}/`;
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point.startsWith(below))
    .toSorted((a, b) => b.length - a.length);
  for (const point of points) await tryRun('umount', ['--lazy', point]);
}
