/** Puts the demo's cluster up and takes it away: API server, node, gateway, Prometheus and the operator. It tells no story. */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { createDouble, type Served, serveDouble } from '../simulation/cluster.ts';
import { canaryServiceName } from '../traffic/canary-service.ts';
import { openGateway } from './gateway.ts';
import { Kubelet } from './kubelet.ts';
import { Load } from './load.ts';
import { mirror, type Mirrors } from './mirrors.ts';
import { PodNetwork } from './network.ts';
import { type OperatorChild, startOperator } from './operator-child.ts';
import { namedPort } from './pod-status.ts';
import { openPrometheus, type ScrapeTarget } from './prometheus.ts';
import { shop } from './shop.ts';
import { WeightLog } from './weights.ts';

export interface StageOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: number;
  /** How the operator is started, as from `ownProgram`. */
  readonly program: readonly string[];
}

export interface Stage {
  /** As the admin of the cluster. */
  readonly client: KubeClient;
  readonly mirrors: Mirrors;
  readonly kubelet: Kubelet;
  readonly weights: WeightLog;
  readonly prometheusUrl: string;
  /** For whoever wants to look at the cluster from outside, as its admin. */
  readonly adminKubeconfig: string;
  /** Rejects with what went wrong in one of the parts; it never resolves. */
  readonly broken: Promise<never>;
  startOperator(): void;
  /** Requests to the application, through the gateway. The function ends them and waits for the last answer. */
  startLoad(ratePerSecond: number): { readonly load: Load; readonly end: () => Promise<void> };
  /** Leaves nothing behind: no process, no port, no file. */
  close(): Promise<void>;
}

export async function openStage(options: StageOptions): Promise<Stage> {
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

interface Directory {
  readonly path: string;
  remove(): void;
}

/** Goes with this process too, if that ends at once. */
async function openDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), 'serin-demo-'));
  const remove = (): void => {
    process.removeListener('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** What runs until the end, and what was seen to break. */
class Parts {
  readonly #end = new AbortController();
  readonly #runs: Promise<void>[] = [];
  readonly #broken = Promise.withResolvers<never>();

  constructor() {
    this.#broken.promise.catch(() => undefined);
  }

  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  run(part: (signal: AbortSignal) => Promise<void>): void {
    this.#runs.push(part(this.signal).catch((error: unknown) => this.break(error)));
  }

  break(error: unknown): void {
    this.#broken.reject(error);
  }

  async end(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#runs);
  }
}

async function setUp(options: StageOptions, directory: Directory, parts: Parts): Promise<Stage> {
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
  const own = `${shop.namespace}/${shop.name}`;
  const weights = new WeightLog(own, `${shop.namespace}/${canaryServiceName(shop.name)}`);
  const onRoutes = (routes: Parameters<WeightLog['note']>[0]) => weights.note(routes, clock.monotonicMs());
  const gateway = await openGateway({ client, clock, network, ...mirrors, name: shop.gateway, onRoutes });
  parts.run((signal) => gateway.run(signal));
  const prometheus = await openPrometheus({ clock, network, targets: () => targetsAmong(mirrors) });
  parts.run((signal) => prometheus.run(signal));
  const files = await writeKubeconfigs(directory.path, served);
  let operator: OperatorChild | undefined;
  return {
    client,
    mirrors,
    kubelet,
    weights,
    prometheusUrl: prometheus.url,
    adminKubeconfig: files.admin,
    broken: parts.broken,
    startOperator() {
      operator = startOperator({ clock, program: options.program, kubeconfig: files.operator, logFile: files.log });
      void operator.endedEarly.then(async (how) => parts.break(await operatorGone(how, files.log)));
    },
    startLoad(ratePerSecond) {
      const end = new AbortController();
      const load = new Load({ clock, url: gateway.url, host: shop.host, ratePerSecond });
      const running = load.run(end.signal, parts.signal);
      parts.run(() => running);
      return { load, end: () => (end.abort(), running) };
    },
    async close() {
      await operator?.stop();
      await parts.end();
      await served.close();
      directory.remove();
    },
  };
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

async function operatorGone(how: string, logFile: string): Promise<Error> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const last = log.trimEnd().split('\n').slice(-5).join('\n');
  return new Error(`the operator of the demo ${how}; the end of its log:\n${last}`);
}
