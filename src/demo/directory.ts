/** Owns the one directory that a demo has on the disk. It goes with the process too, if that ends at once. */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Directory {
  readonly path: string;
  remove(): void;
}

export async function openDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), 'serin-demo-'));
  const remove = (): void => {
    process.removeListener('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** Why a demo cannot go on without its operator, with the end of what that said. */
export async function operatorGone(how: string, logFile: string): Promise<Error> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const last = log.trimEnd().split('\n').slice(-5).join('\n');
  return new Error(`the operator of the demo ${how}; the end of its log:\n${last}`);
}
