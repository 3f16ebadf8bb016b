/**
 * Directories and the state file of the local cluster: the one place that other processes (tests, `cluster:down`) read to
 * find it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Layout, layout, slot } from './addresses.ts';
import { hasCode } from './faults.ts';
import type { Served } from './served.ts';

/** Cache directory outside the clone: `$SERIN_CACHE_DIR`, `$XDG_CACHE_HOME/serin` or `~/.cache/serin`. */
export function cacheDirectory(): string {
  const own = process.env['SERIN_CACHE_DIR'];
  if (own) return own;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'serin');
}

/** Everything that belongs to the running cluster and goes away with `cluster:down`. */
export function clusterDirectory(of: Layout = layout): string {
  const name = of === 'node' ? 'cluster' : of;
  return join(cacheDirectory(), slot === 0 ? name : `${name}-${slot}`);
}

/** A path in the cluster's directory; its parent directory is made, so that callers can write at once. */
export function clusterPath(...parts: string[]): string {
  const path = join(clusterDirectory(), ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  return path;
}

/** A directory in the cluster's directory, made if it is not there. */
export function clusterSubdirectory(...parts: string[]): string {
  const path = clusterPath(...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

/** What a running cluster offers; written by `cluster:up` after each part that came up. */
export interface ClusterState {
  kubeconfig: string;
  kubectl: string;
  server: string;
  /** PEM text of the cluster's certificate authority. */
  ca: string;
  /** Absent where the log is not on this machine. */
  auditLog?: string;
  tokens: { admin: string; alice: string; bob: string };
  gatewayUrl?: string;
  prometheusUrl?: string;
  /** True when a kubelet runs, its node was Ready, and it has the image of the test workload. */
  pods: boolean;
  /** What the API server serves; absent while that was not asked. */
  served?: Served;
  /** A certificate and its key, for 127.0.0.1 and signed by `ca`; absent where the API server cannot call this machine. */
  serving?: { certificate: string; key: string };
  /** The container that is the cluster, where it is one. */
  containerId?: string;
}

function stateFile(of: Layout): string {
  return join(clusterDirectory(of), 'state.json');
}

/** Undefined when no such cluster was started (or it was taken down). */
export function readState(of: Layout = layout): ClusterState | undefined {
  try {
    const state: ClusterState = JSON.parse(readFileSync(stateFile(of), 'utf8'));
    return state;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Replaces the file in one step: a reader never sees half of it. */
export function writeState(state: ClusterState): string {
  const path = clusterPath('state.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return path;
}
