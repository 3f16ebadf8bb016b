/**
 * The operator as its own process, outside the cluster: started, stopped, killed, started again. It is the program that
 * users run, with the identity that users give it; nothing reaches into it but signals and SERIN_FAULT_POINT.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { leases } from '../../../src/kube/resources.ts';
import type { KubeObject } from '../../../src/kube/resources.ts';
import { guard } from './ground.ts';
import type { Ground } from './ground.ts';

export interface OperatorOptions {
  readonly namespace: string;
  readonly logFile: string;
  /** `before:N` or `after:N`: it kills itself there. */
  readonly faultPoint?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

const running = new Set<ChildProcess>();
// A harness that dies must not leave operators behind that write to the cluster.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)
  process.once(signal, () => process.exit(code));

/** Ports are handed out one after the other, from a start of this process's own: several operators run at once. */
let nextPort = 10_000 + (process.pid % 90) * 100;

export class Operator {
  readonly startedAtMs = Date.now();
  readonly logFile: string;
  readonly metricsAddress: string;
  readonly ended: Promise<Ended>;
  readonly #ground: Ground;
  readonly #namespace: string;
  readonly #child: ChildProcess;
  #end: Ended | undefined;

  constructor(ground: Ground, options: OperatorOptions) {
    const { namespace, logFile, faultPoint } = options;
    this.#ground = ground;
    this.#namespace = namespace;
    this.logFile = logFile;
    this.metricsAddress = `127.0.0.1:${nextPort++}`;
    const log = openSync(logFile, 'a');
    this.#child = spawn(process.execPath, [ground.program, ...this.#words()], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...(faultPoint === undefined ? {} : { SERIN_FAULT_POINT: faultPoint }) },
    });
    closeSync(log);
    running.add(this.#child);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('exit', (code, signal) => {
        running.delete(this.#child);
        this.#end = { code, signal, atMs: Date.now() };
        resolve(this.#end);
      });
    });
  }

  get hasEnded(): Ended | undefined {
    return this.#end;
  }

  /** Comes back when the Lease was renewed after the start of this process: until then an older one may have held it. */
  async untilLeading(withinMs = 40_000): Promise<number> {
    const ref = { namespace: 'serin-system', name: leaseName(this.#namespace) };
    for (const endMs = Date.now() + withinMs; Date.now() < endMs; await sleep(50)) {
      if (this.#end !== undefined)
        throw new Error(`the operator ended by itself (${describeEnd(this.#end)}).\n${this.log()}`);
      const lease = await this.#ground.admin.find<Lease>(leases, ref);
      if (Date.parse(lease?.spec?.renewTime ?? '') > this.startedAtMs) return Date.now();
    }
    throw new Error(
      `the operator did not lead within ${withinMs} ms; Lease ${ref.name} was not renewed.\n${this.log()}`,
    );
  }

  /** SIGTERM, as a node that drains does it; SIGKILL after 10 s, which is a failure. */
  async stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    const end = await Promise.race([this.ended, sleep(10_000, undefined, { ref: false })]);
    if (end !== undefined) return end;
    await this.kill();
    throw new Error(`the operator did not end within 10 s of SIGTERM.\n${this.log()}`);
  }

  async kill(): Promise<Ended> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  /** Resident memory now and at its highest, in MiB. */
  memory(): { residentMiB: number; peakMiB: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const kib = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN);
    return { residentMiB: kib('VmRSS') / 1024, peakMiB: kib('VmHWM') / 1024 };
  }

  /** The end of its log, for messages. */
  log(lines = 25): string {
    return `End of ${this.logFile}:\n${readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')}`;
  }

  #words(): string[] {
    const { operatorKubeconfig } = this.#ground;
    const place = ['--namespace', this.#namespace, '--lease-name', leaseName(this.#namespace)];
    const how = ['--guard', guard, '--metrics-address', this.metricsAddress];
    return ['operator', '--kubeconfig', operatorKubeconfig, ...place, ...how];
  }
}

interface Lease extends KubeObject {
  readonly spec?: { readonly renewTime?: string };
}

export function leaseName(namespace: string): string {
  return `serin-${namespace}`;
}

export function describeEnd({ code, signal }: Ended): string {
  return signal === null ? `exit code ${code}` : signal;
}
