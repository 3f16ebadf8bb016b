/** Runs the real kubectl as the admin, for what people would look at with it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Ground } from './ground.ts';

const run = promisify(execFile);

/** What it printed; throws with its error output when it fails. */
export async function kubectl({ cluster }: Ground, words: readonly string[]): Promise<string> {
  const { stdout } = await run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...words]);
  return stdout;
}
