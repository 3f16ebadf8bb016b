/**
 * Detached processes that outlive the command that started them. A pid file holds the process's start time and the boot's
 * id beside its number, so that a number that was given to another program is never mistaken for ours.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from './commands.ts';
import { messageOf } from './faults.ts';
import { clusterPath, clusterSubdirectory } from './state.ts';

export interface ProcessDescription {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** True when the process does its work; asked again and again after the start. */
  ready: () => Promise<boolean>;
  readyWithinMs: number;
}

interface PidFile {
  pid: number;
  startTime: string;
  boot: string;
}

function pidFile(name: string): string {
  return clusterPath('processes', `${name}.json`);
}

function logFile(name: string): string {
  return clusterPath('logs', `${name}.log`);
}

/** The start time of a live process in clock ticks since boot; undefined when it is gone or only a zombie is left. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The process id of a part that we started and that still runs. */
export function runningPid(name: string): number | undefined {
  if (!existsSync(pidFile(name))) return undefined;
  const file: PidFile = JSON.parse(readFileSync(pidFile(name), 'utf8'));
  return file.boot === bootId() && startTimeOf(file.pid) === file.startTime ? file.pid : undefined;
}

function launch(description: ProcessDescription): void {
  const log = openSync(logFile(description.name), 'a');
  const child = spawn(description.command, description.args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: clusterSubdirectory('logs'),
    env: { ...process.env, ...description.env },
  });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined) throw new Error(`${description.command} could not be started`);
  const file: PidFile = { pid: child.pid, startTime: startTimeOf(child.pid) ?? '', boot: bootId() };
  writeFileSync(pidFile(description.name), JSON.stringify(file));
}

function endOfLog(name: string): string {
  if (!existsSync(logFile(name))) return '';
  return readFileSync(logFile(name), 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}

/** Starts a part unless it runs already, and waits until it is ready. Gives true when it had to be started. */
export async function ensureProcess(description: ProcessDescription): Promise<boolean> {
  const started = runningPid(description.name) === undefined;
  if (started) launch(description);
  let died = false;
  const check = async (): Promise<boolean> => {
    died = runningPid(description.name) === undefined;
    return died || description.ready();
  };
  try {
    await waitUntil(`${description.name} to be ready`, check, description.readyWithinMs);
  } catch (error) {
    const log = `End of ${logFile(description.name)}:\n${endOfLog(description.name)}`;
    throw new Error(`${messageOf(error)}\n${log}`, { cause: error });
  }
  if (died)
    throw new Error(
      `${description.name} ended at once. End of ${logFile(description.name)}:\n${endOfLog(description.name)}`,
    );
  return started;
}

/** Ends a part: SIGTERM, after `graceMs` SIGKILL; comes back when it is gone. Does nothing when it does not run. */
export async function stopProcess(name: string, graceMs = 10_000): Promise<void> {
  const pid = runningPid(name);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const end = Date.now() + graceMs;
    while (runningPid(name) !== undefined) {
      if (Date.now() > end) process.kill(pid, 'SIGKILL');
      await sleep(50);
    }
  }
  rmSync(pidFile(name), { force: true });
}

/** Names of the parts that have a pid file, running or not. */
export function knownProcesses(): string[] {
  return readdirSync(clusterSubdirectory('processes')).map((file) => basename(file, '.json'));
}
