/**
 * A Docker engine for one suite: the one that answers, else Debian's dockerd with directories of its own and without a finger
 * in the machine's network. It ends only what it started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../cluster/commands.ts';
import { engineAddress } from '../cluster/engine.ts';
import { unmountAll } from '../cluster/pods.ts';

export interface Engine {
  /** As DOCKER_HOST has it. */
  readonly address: string;
  close(): Promise<void>;
}

const dockerd = '/usr/sbin/dockerd';
/** Of util-linux, as every Debian has it. */
const setpriv = '/usr/bin/setpriv';

export async function openEngine(): Promise<Engine | { readonly unavailable: string }> {
  if (process.platform !== 'linux') return { unavailable: 'the image is run on the network of a Linux host' };
  const address = await engineAddress();
  if (address?.startsWith('unix:')) return { address, close: async () => undefined };
  if (address !== undefined) return { unavailable: `the Docker engine at ${address} is another machine` };
  if (process.getuid?.() !== 0 || !existsSync(dockerd))
    return {
      unavailable: 'no Docker engine answers, and there is no dockerd that could be started (root, Debian: docker.io)',
    };
  return startEngine();
}

/** Containers of it have the host's network or none: no bridge and no rule of a firewall is made. */
async function startEngine(): Promise<Engine | { readonly unavailable: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'serin-docker-'));
  const log = join(directory, 'log');
  const address = `unix://${directory}/docker.sock`;
  const output = openSync(log, 'a');
  const places = [`--data-root=${directory}/data`, `--exec-root=${directory}/exec`, `--pidfile=${directory}/pid`];
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
  const flags = [`--host=${address}`, ...places, ...network, '--oom-score-adjust=0'];
  // It is told to end when this process is gone, however that went.
  const child = spawn(setpriv, ['--pdeathsig=SIGTERM', dockerd, ...flags], {
    stdio: ['ignore', output, output],
  });
  const close = async (): Promise<void> => {
    await ended(child);
    await unmountAll(directory);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  };
  try {
    await waitUntil('dockerd to answer', async () => (await engineAddress(address)) !== undefined, 60_000);
    return { address, close };
  } catch {
    const why = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
    await close();
    return { unavailable: `dockerd does not run here: ${why}` };
  }
}

/** It takes its containers and its containerd with it. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('close', () => resolve());
  child.kill('SIGTERM');
  await promise;
}
