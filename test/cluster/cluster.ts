/**
 * What tests import: the cluster they run against, from the first provider that has one. A suite says what it needs; where the
 * cluster lacks that, or where there is none, it gets a sentence instead and is skipped with it.
 */
import { missing, type Need } from './needs.ts';
import { controlPlane } from './providers/control-plane.ts';
import { docker } from './providers/docker.ts';
import { openExisting } from './providers/existing.ts';
import { local } from './providers/local.ts';
import { isUnavailable, type Provider, type TestCluster, type Unavailable } from './test-cluster.ts';

export { missing, type Need, notRun } from './needs.ts';
export { isUnavailable, type TestCluster, type Unavailable } from './test-cluster.ts';

const providers: readonly Provider[] = [local, docker, controlPlane];

/** Those that may be asked; SERIN_TEST_PROVIDER names one. */
function asked(): readonly Provider[] {
  const name = process.env['SERIN_TEST_PROVIDER'];
  if (!name) return providers;
  const named = providers.filter((provider) => provider.name === name);
  if (named.length === 0)
    throw new Error(`SERIN_TEST_PROVIDER=${name}: it is one of ${providers.map((one) => one.name).join(', ')}`);
  return named;
}

/** The first that there is, or why none of them is. */
async function first(required: boolean, say: (line: string) => void): Promise<TestCluster | Unavailable> {
  const reasons: string[] = [];
  for (const provider of asked()) {
    const found = await provider.open({ required, say });
    if (!isUnavailable(found)) return found;
    say(`not ${provider.name}: ${found.unavailable}`);
    reasons.push(found.unavailable);
  }
  return { unavailable: `no cluster: set SERIN_TEST_KUBECONFIG, or see why there is none here: ${reasons.join('; ')}` };
}

/**
 * Finds or starts a cluster that has what is needed. With SERIN_TEST_CLUSTER=required it also builds, and it is an error when
 * there is no cluster at all; one that lacks something is none. With SERIN_TEST_CLUSTER=none there is no cluster.
 */
export async function openCluster(
  needs: readonly Need[] = [],
  say: (line: string) => void = () => undefined,
): Promise<TestCluster | Unavailable> {
  const wish = process.env['SERIN_TEST_CLUSTER'];
  if (wish === 'none') return { unavailable: 'no cluster wanted (SERIN_TEST_CLUSTER=none)' };
  const kubeconfig = process.env['SERIN_TEST_KUBECONFIG'];
  const isRequired = wish === 'required';
  const found = kubeconfig ? await openExisting(kubeconfig) : await first(isRequired, say);
  if (isUnavailable(found)) {
    if (isRequired) throw new Error(found.unavailable);
    return found;
  }
  const lack = missing(found, needs);
  return lack === undefined ? found : { unavailable: lack };
}
