/** Starts the program that stands in for a node. */
import { join } from 'node:path';
import { kubeconfigPath } from './identities.ts';
import { nodeIsReady } from './node.ts';
import { ensureProcess } from './processes.ts';

export async function startStandIn(): Promise<void> {
  await ensureProcess({
    name: 'stand-in',
    command: process.execPath,
    args: [join(import.meta.dirname, 'stand-in.ts'), kubeconfigPath('stand-in')],
    ready: nodeIsReady,
    readyWithinMs: 60_000,
  });
}
