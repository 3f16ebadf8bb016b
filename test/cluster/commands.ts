/** Running other programs to their end, and waiting for a condition with a sentence that says what was waited for. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CommandOptions {
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
}

/** Runs a program and gives its standard output; an exit code other than 0 is an error with the last lines it printed. */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const place = options.cwd === undefined ? {} : { cwd: options.cwd };
    const child = spawn(command, args, { ...place, env: { ...process.env, ...options.env } });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', (error) => reject(new Error(`${command} could not be run: ${error.message}`, { cause: error })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const shown = (errors || output).trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${command} ${args.slice(0, 4).join(' ')} ended with ${signal ?? code}:\n${shown}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** Like `run`, but undefined when it fails: for cleaning up what may not be there. */
export async function tryRun(command: string, args: string[]): Promise<string | undefined> {
  return run(command, args).catch(() => undefined);
}

/** Asks `check` until it is true; after `timeoutMs` an error names what was waited for and what the last answer was. */
export async function waitUntil(
  what: string,
  check: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = 150,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      if (await check()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  }
  const reason = last instanceof Error ? `: ${last.message}` : '';
  throw new Error(`waited ${Math.round(timeoutMs / 1000)} s in vain for: ${what}${reason}`);
}
