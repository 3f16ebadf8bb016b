/** Decides which cluster is meant by `--cluster`. It opens no connection. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, loadConnection } from '../../kube/config.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What the options say, then SERIN_TEST_KUBECONFIG, then what kubectl would take. Only where that is nothing: the cluster of
 * `npm run cluster:up`. Nobody's own cluster is passed over for it.
 */
export function clusterMeant({ kubeconfig, context }: ConnectionOptions, env: Env): ConnectionOptions {
  if (kubeconfig !== undefined || context !== undefined) return { kubeconfig, context };
  const named = env['SERIN_TEST_KUBECONFIG'];
  if (named !== undefined && named !== '') return { kubeconfig: named };
  const own = testClusterIn(env);
  return !isConfigured() && existsSync(own) ? { kubeconfig: own } : {};
}

function isConfigured(): boolean {
  try {
    loadConnection();
    return true;
  } catch {
    return false;
  }
}

/** Where test/cluster keeps it. */
function testClusterIn(env: Env): string {
  const cache = env['SERIN_CACHE_DIR'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'serin');
  const slot = Number(env['SERIN_TEST_SLOT'] ?? '0');
  return join(cache, slot === 0 ? 'cluster' : `cluster-${slot}`, 'kubeconfig');
}
