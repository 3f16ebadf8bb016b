/**
 * `npm run cluster:build`: builds every program of the test cluster from its pinned Go module into the cache; without root
 * those of the control plane. What is there is not built again; a first run takes about 20 minutes on two cores.
 */
import { existsSync } from 'node:fs';
import { type Layout, layout } from './addresses.ts';
import { binaries, definitionsDirectory, isBuilt, programsOf } from './binaries.ts';
import { installMissingPackages } from './debian.ts';
import { buildBinary, copyDefinitions, requireGo } from './go.ts';
import { cacheDirectory } from './state.ts';

const heartbeatMs = 20_000;

function seconds(since: number): string {
  const total = Math.round((Date.now() - since) / 1000);
  return total < 60 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
}

/** Runs one step of the build and prints what it is, and every 20 s that it still goes on. */
async function withProgress(what: string, say: (line: string) => void, step: () => Promise<void>): Promise<void> {
  const start = Date.now();
  say(`${what} …`);
  const heartbeat = setInterval(() => say(`${what} … ${seconds(start)}`), heartbeatMs);
  try {
    await step();
  } finally {
    clearInterval(heartbeat);
  }
  say(`${what}: done in ${seconds(start)}`);
}

/** Builds what is missing; every line of progress goes to `say`. */
export async function buildCluster(say: (line: string) => void, of: Layout): Promise<void> {
  const start = Date.now();
  const todo = binaries.filter(({ name }) => programsOf[of].includes(name) && !isBuilt(name, 'node'));
  if (process.platform === 'linux') await installMissingPackages(say, of);
  if (todo.length > 0) {
    say(`building ${todo.length} programs with ${await requireGo()} into ${cacheDirectory()}`);
  }
  for (const [index, binary] of todo.entries()) {
    await withProgress(`[${index + 1}/${todo.length}] ${binary.name}`, say, () => buildBinary(binary));
  }
  if (!existsSync(definitionsDirectory())) await withProgress('resource definitions', say, copyDefinitions);
  say(`everything is built (${seconds(start)}); next: npm run cluster:up`);
}

if (import.meta.main) {
  const wanted = layout === 'node' && process.getuid?.() !== 0 ? 'control-plane' : layout;
  await buildCluster((line) => console.log(line), wanted).catch((error: Error) => {
    console.error(`cluster:build failed: ${error.message}`);
    process.exitCode = 1;
  });
}
