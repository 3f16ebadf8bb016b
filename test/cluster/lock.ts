/** Only one process at a time starts or stops the cluster: several test processes may ask for it at once. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { waitUntil } from './commands.ts';
import { hasCode } from './faults.ts';
import { startTimeOf } from './processes.ts';
import { clusterDirectory } from './state.ts';

function holderIsGone(file: string): boolean {
  try {
    const holder: { pid: number; startTime: string } = JSON.parse(readFileSync(file, 'utf8'));
    return startTimeOf(holder.pid) !== holder.startTime;
  } catch {
    return false;
  }
}

function tryToTake(file: string): boolean {
  if (holderIsGone(file)) rmSync(file, { force: true });
  const content = JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) });
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Waits for the lock, runs `work`, and lets go also when it fails. A holder that died does not block. */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  mkdirSync(dirname(file), { recursive: true });
  await waitUntil(`another process to let go of ${file}`, async () => tryToTake(file), 5 * 60_000);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** The file stands beside the cluster's directory, which `cluster:down` removes. */
export function withClusterLock<Result>(work: () => Promise<Result>): Promise<Result> {
  return withLock(`${clusterDirectory()}.lock`, work);
}
