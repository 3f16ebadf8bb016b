/** Only one process at a time starts or stops the cluster: several test processes may ask for it at once. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { waitUntil } from './commands.ts';
import { hasCode } from './faults.ts';
import { startTimeOf } from './processes.ts';
import { cacheDirectory, clusterDirectory } from './state.ts';

/** Beside the cluster's directory, which `cluster:down` removes. */
function lockFile(): string {
  mkdirSync(cacheDirectory(), { recursive: true });
  return `${clusterDirectory()}.lock`;
}

function holderIsGone(): boolean {
  try {
    const holder: { pid: number; startTime: string } = JSON.parse(readFileSync(lockFile(), 'utf8'));
    return startTimeOf(holder.pid) !== holder.startTime;
  } catch {
    return false;
  }
}

function tryToTake(): boolean {
  if (holderIsGone()) rmSync(lockFile(), { force: true });
  const content = JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) });
  try {
    writeFileSync(lockFile(), content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Waits for the lock, runs `work`, and lets go also when it fails. A holder that died does not block. */
export async function withClusterLock<Result>(work: () => Promise<Result>): Promise<Result> {
  const what = `another process to let go of ${lockFile()}`;
  await waitUntil(what, async () => tryToTake(), 5 * 60_000);
  try {
    return await work();
  } finally {
    rmSync(lockFile(), { force: true });
  }
}
