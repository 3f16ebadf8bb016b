/** Runs a program of this folder for another layout than this process's: where things are is fixed when a process starts. */
import { join } from 'node:path';
import type { Layout } from './addresses.ts';
import { run } from './commands.ts';

/** Gives what it printed. */
export function asLayout(layout: Layout, program: 'up.ts' | 'down.ts'): Promise<string> {
  return run(process.execPath, [join(import.meta.dirname, program)], { env: { SERIN_TEST_LAYOUT: layout } });
}
