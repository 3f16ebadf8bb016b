/** Runs the operator as a process of its own, the same program with its ordinary options; it reaches into it by signals only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { isSea } from 'node:sea';
import type { Clock } from '../kube/clock.ts';

export interface OperatorChildOptions {
  readonly clock: Clock;
  /** Program and first arguments, as from `ownProgram`. */
  readonly program: readonly string[];
  readonly kubeconfig: string;
  readonly logFile: string;
  /** Besides cluster and address of metrics. */
  readonly words?: readonly string[];
}

export interface OperatorChild {
  /** Resolves with words about its end, when it ended without being asked to; never rejects. */
  readonly endedEarly: Promise<string>;
  /** SIGTERM, and after 10 s SIGKILL; comes back when it is gone. */
  stop(): Promise<void>;
}

/** How this program was started: by Node.js and a file, or as one binary. */
export function ownProgram(): readonly string[] {
  const [, file] = process.argv;
  return isSea() || file === undefined ? [process.execPath] : [process.execPath, ...process.execArgv, file];
}

export function startOperator(options: OperatorChildOptions): OperatorChild {
  const { clock, program, kubeconfig, logFile } = options;
  const [command = process.execPath, ...first] = program;
  const log = createWriteStream(logFile);
  const own = ['operator', '--kubeconfig', kubeconfig, '--metrics-address', '127.0.0.1:0'];
  const child = spawn(command, [...first, ...own, ...(options.words ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in a terminal is for the demo, which ends this one when nothing needs it any more.
    detached: process.platform !== 'win32',
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  // However this process ends, that one must not stay.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const end = ending(child).finally(() => {
    process.removeListener('exit', kill);
    log.end();
  });
  let isAsked = false;
  return {
    endedEarly: new Promise((resolve) => {
      void end.then((how) => {
        if (!isAsked) resolve(how);
      });
    }),
    async stop() {
      isAsked = true;
      child.kill('SIGTERM');
      const patience = clock.after(10_000, kill);
      await end;
      patience.cancel();
    },
  };
}

function ending(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('error', (error) => resolve(`could not be started: ${error.message}`));
  child.once('close', (code, signal) => resolve(`ended by itself, ${signal ?? `exit code ${code}`}`));
  return promise;
}
