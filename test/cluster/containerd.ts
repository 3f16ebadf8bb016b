/** A containerd of our own: own directories and socket, so a containerd of the system is never touched. */
import { writeFileSync } from 'node:fs';
import { bridge, podRange, podSubnet, slot } from './addresses.ts';
import { run } from './commands.ts';
import { ensureProcess } from './processes.ts';
import { clusterPath, clusterSubdirectory } from './state.ts';

export const cniNetwork = slot === 0 ? 'serin-test' : `serin-test-${slot}`;

/** The container that holds a pod's network; imported by `images.ts`, never pulled. */
export const pauseImage = 'serin.test/pause:1';

export function containerdSocket(): string {
  return clusterPath('containerd', 'containerd.sock');
}

/** Directory of the address leases that the CNI plugin hands to pods. */
function podLeases(): string {
  return clusterSubdirectory('cni', 'leases');
}

/** `ctr` in the namespace that the kubelet uses. */
export function ctr(args: string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(), '--namespace', 'k8s.io', ...args]);
}

/** A string in TOML is written as in JSON. */
function quoted(value: string): string {
  return JSON.stringify(value);
}

/**
 * `restrict_oom_score_adj`: without CAP_SYS_RESOURCE a negative score cannot be set and runc would die without saying so.
 */
function configuration(): string {
  return `version = 2
root = ${quoted(clusterSubdirectory('containerd', 'root'))}
state = ${quoted(clusterSubdirectory('containerd', 'state'))}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.tracing"]
[grpc]
address = ${quoted(containerdSocket())}
[plugins."io.containerd.internal.v1.opt"]
path = ${quoted(clusterSubdirectory('containerd', 'opt'))}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${quoted(pauseImage)}
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = ${quoted(writeNetworkConfiguration())}
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

/** Every pod gets an address on the bridge, which the host reaches directly; nothing is masqueraded. */
function writeNetworkConfiguration(): string {
  const directory = clusterSubdirectory('cni', 'conf');
  const addresses = {
    type: 'host-local',
    dataDir: podLeases(),
    ranges: [[{ subnet: podSubnet, rangeStart: podRange.start, rangeEnd: podRange.end }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const plugin = { type: 'bridge', bridge, isGateway: true, ipMasq: false, hairpinMode: true, ipam: addresses };
  const list = { cniVersion: '0.4.0', name: cniNetwork, plugins: [plugin] };
  writeFileSync(`${directory}/10-serin-test.conflist`, JSON.stringify(list, undefined, 2));
  return directory;
}

/** Starts containerd and waits until its server answers. */
export async function startContainerd(): Promise<void> {
  const path = clusterPath('containerd', 'config.toml');
  writeFileSync(path, configuration());
  await ensureProcess({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', path],
    ready: () => ctr(['version']).then(() => true),
    readyWithinMs: 20_000,
  });
}
