/** A k3s in a container. Whether Docker is there and can have the image is found out by asking; what it cannot do is one sentence. */
import { asLayout } from '../as-layout.ts';
import { binaryPath, isBuilt } from '../binaries.ts';
import { tryRun } from '../commands.ts';
import { engineAddress } from '../engine.ts';
import { messageOf } from '../faults.ts';
import { answersOk } from '../requests.ts';
import { readState } from '../state.ts';
import { clusterOf, ownPrometheusOnly, type Provider } from '../test-cluster.ts';

async function obstacle(): Promise<string | undefined> {
  if ((await engineAddress()) === undefined) return 'no Docker engine answers';
  const kubectl = isBuilt('kubectl') ? binaryPath('kubectl') : 'kubectl';
  if ((await tryRun(kubectl, ['version', '--client'])) === undefined) return 'a cluster in Docker needs kubectl';
  return undefined;
}

async function runs(): Promise<boolean> {
  const state = readState('docker');
  return state !== undefined && answersOk(`${state.server}/readyz`, { ca: state.ca, token: state.tokens.admin });
}

export const docker: Provider = {
  name: 'docker',
  async open({ say }) {
    if (!(await runs())) {
      const unavailable = await obstacle();
      if (unavailable !== undefined) return { unavailable };
      try {
        say(await asLayout('docker', 'up.ts'));
      } catch (error) {
        return { unavailable: messageOf(error).split('cluster:up failed: ').at(-1)?.split('\n')[0] ?? '' };
      }
    }
    const state = readState('docker');
    if (state === undefined) throw new Error('a cluster in Docker was started and left no state file');
    return clusterOf('docker', state, ownPrometheusOnly);
  },
};
