/**
 * A real Unleash for tests: `startUnleash`. It runs in a process of its own, on the loopback address or on one that pods reach,
 * and calls nothing. Nothing of it is left after `stop`, or after the death of the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type FlagEvent, type FlagOptions, UnleashAdmin } from './admin.ts';
import type { RunnerOptions } from './runner.ts';

export interface UnleashOptions {
  /** Address to listen on, `0.0.0.0` for all. Default: 127.0.0.1. */
  readonly host?: string;
  /** Ends it, too. */
  readonly signal?: AbortSignal;
}

export interface RunningUnleash {
  /** Without a path. Where it listens on all addresses: that of the loopback. */
  readonly address: string;
  readonly port: number;
  /** May do everything. */
  readonly adminToken: string;
  /** Of a backend that asks for the flags of the environment. */
  readonly clientToken: string;
  readonly project: 'default';
  readonly environment: 'production';
  createFlag(name: string, options: FlagOptions): Promise<void>;
  isEnabled(name: string): Promise<boolean>;
  /** Every change that took effect, oldest first. */
  events(flag: string): Promise<FlagEvent[]>;
  /** As a person does it: any call of the admin API, with the path behind /api/admin. */
  readonly admin: UnleashAdmin;
  stop(): Promise<void>;
}

const project = 'default';
const environment = 'production';
/** The packages may have to be installed first. */
const readyWithinMs = 8 * 60_000;

export async function startUnleash({ host = '127.0.0.1', signal }: UnleashOptions = {}): Promise<RunningUnleash> {
  const port = await freePort(host);
  const adminToken = `*:*.${randomBytes(20).toString('hex')}`;
  const clientToken = `${project}:${environment}.${randomBytes(20).toString('hex')}`;
  const stop = await startRunner({ host, port, adminToken, clientToken }, signal);
  const address = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
  const admin = new UnleashAdmin({ address, token: adminToken, project, environment });
  return {
    address,
    port,
    adminToken,
    clientToken,
    project,
    environment,
    admin,
    stop,
    createFlag: (name, options) => admin.createFlag(name, options),
    isEnabled: (name) => admin.isEnabled(name),
    events: (flag) => admin.events(flag),
  };
}

/** Comes back when it is ready. */
async function startRunner(options: RunnerOptions, signal?: AbortSignal): Promise<() => Promise<void>> {
  signal?.throwIfAborted();
  const program = fileURLToPath(new URL('./runner.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const stop = async () => {
    child.stdin.end();
    await exited;
  };
  signal?.addEventListener('abort', () => child.stdin.end());
  child.stdin.on('error', () => undefined);
  try {
    await untilReady(child, exited);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

async function untilReady(child: ChildProcess, exited: Promise<void>): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-4000)));
  const ready = Promise.withResolvers<void>();
  const failed = (why: string) => ready.reject(new Error(`Unleash for the tests ${why}. It said:\n${said.trim()}`));
  const timer = setTimeout(() => failed(`was not ready within ${readyWithinMs / 1000} s`), readyWithinMs);
  if (child.stdout)
    createInterface(child.stdout).on('line', (line) => (line === 'ready' ? ready.resolve() : undefined));
  child.once('error', (error) => failed(`could not be started: ${error.message}`));
  void exited.then(() => failed('ended before it was ready'));
  try {
    await ready.promise;
  } finally {
    clearTimeout(timer);
  }
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
