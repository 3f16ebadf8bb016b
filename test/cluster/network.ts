/** The bridge that carries the node's address and the pods. */
import { existsSync } from 'node:fs';
import { bridge, nodeAddress, podRange } from './addresses.ts';
import { run, tryRun } from './commands.ts';

/** Makes the bridge before anything listens on its address. The CNI plugin finds it there and uses it. */
export async function ensureBridge(): Promise<void> {
  if (!existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  const address = `${nodeAddress}/${podRange.prefix}`;
  const shown = await run('ip', ['-4', '-o', 'address', 'show', 'dev', bridge]);
  if (!shown.includes(`${address} `)) await run('ip', ['address', 'add', address, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}

export async function removeBridge(): Promise<void> {
  await tryRun('ip', ['link', 'delete', bridge]);
}
