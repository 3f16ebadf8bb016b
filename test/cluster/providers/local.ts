/** The full stack of this folder on this machine, started when it is built. */
import { missingBinaries } from '../binaries.ts';
import { buildCluster } from '../build.ts';
import { ensurePrometheus, stopPrometheus } from '../prometheus.ts';
import { clusterOf, type Provider } from '../test-cluster.ts';
import { bringUp } from '../up.ts';

/** Why it cannot be used on this machine; undefined when it can. `required`: it may be built first. */
export function whyNotLocal(required: boolean): string | undefined {
  if (process.platform !== 'linux') return 'the local cluster runs on Linux only';
  if (process.getuid?.() !== 0) return 'the local cluster needs root';
  if (missingBinaries('node').length === 0 || required) return undefined;
  return 'the local cluster is not built: run npm run cluster:build (once, about 20 minutes)';
}

export const local: Provider = {
  name: 'local',
  async open({ required, say }) {
    const unavailable = whyNotLocal(required);
    if (unavailable !== undefined) return { unavailable };
    if (missingBinaries('node').length > 0) await buildCluster(say, 'node');
    return clusterOf('local', await bringUp(say), { stop: stopPrometheus, start: ensurePrometheus });
  },
};
