/** Puts a demo on a real cluster and takes it away again. It makes one namespace, and a Lease where it brings an operator along; it changes nothing that was there. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Agent } from 'undici';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { ClusterConnection } from '../../kube/config.ts';
import type { HTTPRoute } from '../../traffic/objects.ts';
import { canaryServiceName } from '../../traffic/canary-service.ts';
import { type Directory, openDirectory, operatorGone } from '../directory.ts';
import { Load } from '../load.ts';
import { mirror } from '../mirrors.ts';
import { type OperatorChild, startOperator } from '../operator-child.ts';
import { envOf } from '../pod-status.ts';
import { routed } from '../routing.ts';
import { rolloutOf, rolloutSpec, type Shop, shopName } from '../shop.ts';
import { Parts, type Stage } from '../stage.ts';
import { WeightLog } from '../weights.ts';
import { clearAway } from './clear-away.ts';
import type { Ground } from './ground.ts';
import { leaseOf, writeKubeconfig } from './operators.ts';

export interface ClusterStageOptions {
  readonly client: KubeClient;
  readonly connection: ClusterConnection;
  readonly ground: Ground;
  readonly clock: Clock;
  readonly random: Random;
  /** How an operator is started where there is none, as from `ownProgram`. */
  readonly program: readonly string[];
  /** Options with which another terminal finds this cluster: "--kubeconfig …". */
  readonly options: string;
  readonly say: (line: string) => void;
}

/** A gateway of its own takes what comes: only one that does not answer at all brings so many together. */
const mostUnderWay = 1_000;

/** Nothing is made before the story does it. */
export async function openOnCluster(given: ClusterStageOptions): Promise<Stage> {
  const { client, clock, random, ground } = given;
  const shop = shopOn(ground, `serin-demo-${randomBytes(3).toString('hex')}`);
  const { namespace } = shop;
  const directory = await openDirectory();
  const parts = new Parts();
  const mirrors = mirror({ client, clock, random, namespace }, parts.signal);
  parts.run(() => mirrors.running);
  const weights = new WeightLog(`${namespace}/${shopName}`, `${namespace}/${canaryServiceName(shopName)}`);
  mirrors.routes.onChange(({ object }) => weights.note([weightsIn(object)], clock.monotonicMs()));
  const pods: string[] = [];
  mirrors.pods.onChange(({ kind, object }) => {
    if (kind === 'added') pods.push(envOf(object.spec, 'VERSION'));
  });
  let operator: OperatorChild | undefined;
  return {
    shop,
    client,
    mirrors,
    weights,
    pods,
    attachment: [rolloutOf(shop)],
    look: `-n ${namespace}${given.options}`,
    patienceMs: 300_000,
    broken: parts.broken,
    async startOperator() {
      if (ground.operatorToken !== undefined)
        operator = await lendOperator(given, ground.operatorToken, namespace, directory, parts);
    },
    isServing: (signal) => isServing(ground.address, shop.host, signal),
    startLoad: (ratePerSecond) =>
      parts.runLoad(new Load({ clock, url: ground.address, host: shop.host, ratePerSecond, mostUnderWay })),
    async close() {
      await parts.end();
      try {
        await clearAway({ ...given, namespace, operator });
      } finally {
        directory.remove();
      }
    },
  };
}

function shopOn({ gateway, domain, image, source }: Ground, namespace: string): Shop {
  const readinessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 };
  return {
    namespace,
    host: `${namespace}.${domain}`,
    gateway,
    // A namespace waits for half of it before it looks whether its pods are gone.
    graceSeconds: 10,
    container: () => ({ ...image, readinessProbe }),
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', 'prometheus.io/path': '/metrics' },
    rollout: rolloutSpec({ drain: '5s', bake: '10s', analysis: { source, whenUnsure: { after: '3m' } } }),
  };
}

async function lendOperator(
  { clock, connection, program }: ClusterStageOptions,
  token: string,
  namespace: string,
  directory: Directory,
  parts: Parts,
): Promise<OperatorChild> {
  const kubeconfig = await writeKubeconfig(directory.path, connection, token);
  const logFile = join(directory.path, 'operator.log');
  const lease = leaseOf(namespace);
  const words = ['--namespace', namespace, '--lease-namespace', lease.namespace, '--lease-name', lease.name];
  const operator = startOperator({ clock, program, kubeconfig, logFile, words });
  void operator.endedEarly.then(async (how) => parts.break(await operatorGone(how, logFile)));
  return operator;
}

/** As the route says it: where each gateway obeys it cannot be seen from here, but in the answers. */
function weightsIn(route: HTTPRoute) {
  return routed(route, { services: [], slices: [] });
}

/** A gateway may have several processes, of which the first to know the route answers first. */
const answersInARow = 10;

async function isServing(origin: string, host: string, signal: AbortSignal): Promise<boolean> {
  const agent = new Agent({ headersTimeout: 5_000, connectTimeout: 5_000 });
  try {
    for (let times = 0; times < answersInARow; times += 1) {
      const { headers, body } = await agent.request({ origin, path: '/', method: 'GET', headers: { host }, signal });
      await body.dump();
      if (headers['x-version'] === undefined) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    await agent.destroy();
  }
}
