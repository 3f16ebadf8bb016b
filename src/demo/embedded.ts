/** Puts the demo's own cluster up and takes it away: API server, node, gateway, Prometheus and the operator. It tells no story. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { metricSourceKind } from '../api/kinds.ts';
import { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { createDouble, type Served, serveDouble } from '../simulation/cluster.ts';
import { canaryServiceName } from '../traffic/canary-service.ts';
import { type Directory, openDirectory, operatorGone } from './directory.ts';
import { openGateway } from './gateway.ts';
import { Kubelet } from './kubelet.ts';
import { Load } from './load.ts';
import { mirror, type Mirrors } from './mirrors.ts';
import { PodNetwork } from './network.ts';
import { type OperatorChild, startOperator } from './operator-child.ts';
import { namedPort } from './pod-status.ts';
import { openPrometheus, type ScrapeTarget } from './prometheus.ts';
import { embeddedShop, type Manifest, rolloutOf, shopName } from './shop.ts';
import { Parts, type Stage } from './stage.ts';
import { WeightLog } from './weights.ts';

export interface EmbeddedOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: number;
  /** How the operator is started, as from `ownProgram`. */
  readonly program: readonly string[];
}

export async function openEmbedded(options: EmbeddedOptions): Promise<Stage> {
  const directory = await openDirectory();
  const parts = new Parts();
  try {
    return await setUp(options, directory, parts);
  } catch (error) {
    await parts.end();
    directory.remove();
    throw error;
  }
}

const shop = embeddedShop;

async function setUp(options: EmbeddedOptions, directory: Directory, parts: Parts): Promise<Stage> {
  const { clock, random, seed } = options;
  const double = createDouble({ clock, random, kubelet: 'none' });
  parts.run((signal) => double.run(signal));
  const served = await serveDouble(double);
  const client = new KubeClient({ transport: double.transport, fieldManager: 'demo' });
  const mirrors = mirror({ client, clock, random, namespace: shop.namespace }, parts.signal);
  parts.run(() => mirrors.running);
  const network = new PodNetwork();
  const kubelet = new Kubelet({ client, clock, network, pods: mirrors.pods, seed });
  parts.run((signal) => kubelet.run(signal));
  const weights = new WeightLog(`${shop.namespace}/${shopName}`, `${shop.namespace}/${canaryServiceName(shopName)}`);
  const onRoutes = (routes: Parameters<WeightLog['note']>[0]) => weights.note(routes, clock.monotonicMs());
  const gateway = await openGateway({ client, clock, network, ...mirrors, name: shop.gateway, onRoutes });
  parts.run((signal) => gateway.run(signal));
  const prometheus = await openPrometheus({ clock, network, targets: () => targetsAmong(mirrors) });
  parts.run((signal) => prometheus.run(signal));
  const files = await writeKubeconfigs(directory.path, served);
  let operator: OperatorChild | undefined;
  return {
    shop,
    client,
    mirrors,
    weights,
    attachment: [metricSourceAt(prometheus.url), rolloutOf(shop)],
    look: `-n ${shop.namespace} --kubeconfig ${files.admin}`,
    patienceMs: 120_000,
    broken: parts.broken,
    get pods() {
      return kubelet.started.map(({ version }) => version);
    },
    async startOperator() {
      operator = startOperator({ clock, program: options.program, kubeconfig: files.operator, logFile: files.log });
      void operator.endedEarly.then(async (how) => parts.break(await operatorGone(how, files.log)));
    },
    // The route is in force when its status says so: this gateway never says it too early.
    isServing: async () => (mirrors.routes.get(shop.namespace, shopName)?.status?.parents ?? []).length > 0,
    startLoad: (ratePerSecond) => parts.runLoad(new Load({ clock, url: gateway.url, host: shop.host, ratePerSecond })),
    async close() {
      await operator?.stop();
      await parts.end();
      await served.close();
      directory.remove();
    },
  };
}

function metricSourceAt(address: string): Manifest {
  const spec = { prometheus: { address }, default: true };
  return { kind: metricSourceKind, object: { metadata: { name: 'prometheus' }, spec } };
}

async function writeKubeconfigs(directory: string, { kubeconfigs }: Served) {
  const files = {
    operator: join(directory, 'operator.kubeconfig'),
    admin: join(directory, 'admin.kubeconfig'),
    log: join(directory, 'operator.log'),
  };
  await writeFile(files.operator, kubeconfigs.operator, { mode: 0o600 });
  await writeFile(files.admin, kubeconfigs.admin, { mode: 0o600 });
  return files;
}

/** Service discovery: every pod that has an address. */
function targetsAmong({ pods }: Mirrors): readonly ScrapeTarget[] {
  return pods.all().flatMap(({ metadata: { name, namespace = '' }, spec, status }) => {
    const ip = status?.podIP;
    return ip === undefined ? [] : [{ address: `${ip}:${namedPort(spec)}`, namespace, pod: name }];
  });
}
