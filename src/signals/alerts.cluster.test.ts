// Alerts of a real Prometheus with rules that it evaluates itself: before the release, in it, through outages and restarts, and
// for tenants.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryPath } from '../../test/cluster/binaries.ts';
import { isUnavailable, notRun, openCluster } from '../../test/cluster/cluster.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { systemClock } from '../kube/clock.ts';
import { eventually } from '../workload/as-serin.ts';
import type { WatchedAlert } from './alerts.ts';
import { Collector } from './collector.ts';
import type { Subject } from './subject.ts';

const cluster = await openCluster(['prometheus']);
const absence = isUnavailable(cluster)
  ? cluster.unavailable
  : cluster.provider === 'local'
    ? undefined
    : 'starts the Prometheus of the local cluster once more';
const within = (sentence: string, tests: () => void): void =>
  absence === undefined ? describe(sentence, tests) : describe.skip(notRun(sentence, absence), tests);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Pending for this long first. */
  readonly for?: string;
}

/** A Prometheus with nothing but rules of alerts, which are written anew while it runs. */
class Alarms {
  readonly address: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'serin-alarms-'));
  readonly #port: number;
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.#port = port;
    this.address = `http://127.0.0.1:${port}`;
    const configuration = { global: { evaluation_interval: '1s' }, rule_files: [join(this.#directory, 'rules.yml')] };
    writeFileSync(join(this.#directory, 'prometheus.yml'), JSON.stringify(configuration));
  }

  async start(rules: readonly Rule[]): Promise<void> {
    this.#write(rules);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process = spawn(
      binaryPath('prometheus'),
      [
        `--config.file=${join(this.#directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(this.#directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.#port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    this.#process.once('spawn', resolve);
    await promise;
    await eventually('Prometheus', async () => {
      const answer = await fetch(`${this.address}/-/ready`).catch(() => undefined);
      return answer?.ok === true ? answer : undefined;
    });
  }

  /** These fire a second later, and no others. */
  fire(rules: readonly Rule[]): void {
    this.#write(rules);
    this.#process?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    const ending = this.#process;
    if (ending?.exitCode !== null) return;
    ending.kill('SIGTERM');
    await once(ending, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #write(rules: readonly Rule[]): void {
    const all = rules.map((rule) => ({ expr: 'vector(1)', ...rule }));
    writeFileSync(join(this.#directory, 'rules.yml'), JSON.stringify({ groups: [{ name: 'all', rules: all }] }));
  }
}

/** One operator: it forgets everything but what is saved. */
class Operator {
  readonly collector = new Collector({ clock: systemClock, random: () => 0.5, onChange: () => undefined });
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor() {
    this.#running = this.collector.run(this.#stop.signal);
  }

  names(key: string): readonly string[] {
    return (this.collector.reading(key)?.alerts ?? []).map((alert) => `${alert.do} ${alert.sentence.split(' ')[1]}`);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

const page: WatchedAlert = { matching: '{severity="page"}', do: 'rollback', alsoIfBefore: false };
const old: Rule = { alert: 'Old', labels: { severity: 'page', namespace: 'shop' } };
const fresh: Rule = { alert: 'Fresh', labels: { severity: 'page', namespace: 'shop' } };
const foreign: Rule = { alert: 'Foreign', labels: { severity: 'page', namespace: 'cart' } };
const unowned: Rule = { alert: 'Unowned', labels: { severity: 'page' } };
const pending: Rule = { alert: 'Pending', labels: { severity: 'page', namespace: 'shop' }, for: '1h' };
const mild: Rule = { alert: 'Mild', labels: { severity: 'ticket', namespace: 'shop' } };

within('alerts of a real Prometheus', () => {
  let alarms: Alarms;
  let operator: Operator | undefined;
  beforeEach(async () => {
    alarms = new Alarms(await freePort());
  });
  afterEach(async () => {
    await operator?.end();
    operator = undefined;
    await alarms.remove();
  });

  function subject(more: Partial<Subject> = {}): Subject {
    const beganAtMs = Date.now();
    return {
      key: 'uid/1',
      namespace: 'shop',
      pods: () => ({ canary: [], stable: [] }),
      settings: defaultSettings,
      source: { name: 'alarms', address: alarms.address, timeoutMs: 2_000 },
      beganAtMs,
      alerts: { watched: [page], beganAtMs },
      ...more,
    };
  }

  const settled = () => systemClock.sleep(12_000);
  const firing = (expected: readonly string[]) =>
    eventually(`alerts ${expected.join(', ')}`, async () => {
      const names = operator?.names('uid/1') ?? [];
      return names.join() === expected.join() ? names : undefined;
    });

  test('count when they begin to fire, and when they fire again; not those of before, what is pending, or what is not meant', async () => {
    await alarms.start([old, pending, mild]);
    await systemClock.sleep(4_000);
    operator = new Operator();
    const watched = subject();
    operator.collector.watch(watched);
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    alarms.fire([old, fresh, pending, mild]);
    await firing(['rollback Fresh']);
    alarms.fire([pending, mild]);
    await firing([]);
    await settled();
    alarms.fire([old, pending, mild]);
    await firing(['rollback Old']);
  }, 180_000);

  test('of before are known to an operator that saw the beginning, to one that did not, and through an outage', async () => {
    await alarms.start([old]);
    await systemClock.sleep(4_000);
    operator = new Operator();
    const watched = subject();
    operator.collector.watch(watched);
    await settled();
    const saved = operator.collector.reading('uid/1')?.saved;
    expect(saved?.alerts).toHaveLength(1);
    await operator.end();
    operator = new Operator();
    operator.collector.watch({
      ...watched,
      alerts: { watched: [page], beganAtMs: watched.beganAtMs, saved: saved?.alerts },
    });
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    // Nobody remembers anything, but Prometheus knows what fired then.
    await operator.end();
    operator = new Operator();
    operator.collector.watch(watched);
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    await alarms.stop();
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    await alarms.start([old]);
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    alarms.fire([old, fresh]);
    await firing(['rollback Fresh']);
    await alarms.stop();
    await systemClock.sleep(32_000);
    expect(operator.names('uid/1')).toEqual([]);
  }, 240_000);

  test('of others, and of nobody, are none of a tenant’s', async () => {
    await alarms.start([]);
    operator = new Operator();
    const source = {
      name: 'alarms',
      address: alarms.address,
      timeoutMs: 2_000,
      confine: { namespaceLabel: 'namespace' },
    };
    operator.collector.watch(subject({ source }));
    await systemClock.sleep(6_000);
    alarms.fire([foreign, unowned]);
    await settled();
    expect(operator.names('uid/1')).toEqual([]);
    alarms.fire([foreign, unowned, fresh]);
    await firing(['rollback Fresh']);
  }, 120_000);
});
