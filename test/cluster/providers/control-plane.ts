/** etcd, API server and controllers on loopback, without root: pods become Ready and have addresses, and nothing runs in them. */
import { asLayout } from '../as-layout.ts';
import { missingBinaries } from '../binaries.ts';
import { buildCluster } from '../build.ts';
import { answersOk } from '../requests.ts';
import { readState } from '../state.ts';
import { clusterOf, ownPrometheusOnly, type Provider } from '../test-cluster.ts';

/** Why it cannot be used on this machine; undefined when it can. */
function obstacle(required: boolean): string | undefined {
  if (process.platform !== 'linux') return 'a control plane alone runs on Linux only';
  const isAskedFor = Boolean(process.env['KUBEBUILDER_ASSETS'] || process.env['SERIN_TEST_PROVIDER']);
  // Whoever can have more must not get less in silence, only because one program is to be built anew.
  if (process.getuid?.() === 0 && !isAskedFor)
    return 'a control plane alone is for who is not root, or asks for it (SERIN_TEST_PROVIDER=control-plane)';
  const missing = missingBinaries('control-plane');
  if (missing.length === 0) return undefined;
  if (process.env['KUBEBUILDER_ASSETS'])
    return `KUBEBUILDER_ASSETS has no ${missing.join(', ')} (all four are taken from there, or none)`;
  if (required) return undefined;
  return 'a control plane alone is not built: run npm run cluster:build (once, some minutes)';
}

/** Each suite asks; only the first one of a run has to start something. */
async function runs(): Promise<boolean> {
  const state = readState('control-plane');
  if (state?.served === undefined) return false;
  return answersOk(`${state.server}/readyz`, { ca: state.ca, token: state.tokens.admin });
}

export const controlPlane: Provider = {
  name: 'control-plane',
  async open({ required, say }) {
    const unavailable = obstacle(required);
    if (unavailable !== undefined) return { unavailable };
    if (missingBinaries('control-plane').length > 0) await buildCluster(say, 'control-plane');
    if (!(await runs())) say(await asLayout('control-plane', 'up.ts'));
    const state = readState('control-plane');
    if (state === undefined) throw new Error('the control plane was started and left no state file');
    return clusterOf('control-plane', state, ownPrometheusOnly);
  },
};
