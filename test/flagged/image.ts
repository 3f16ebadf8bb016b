/**
 * The image of the flagged application: this machine's Node.js with the libraries that it is linked to, and one bundled
 * file. It is made when a story wants it and not with the cluster: it has the size of Node.js.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { imageArchive } from '../cluster/archive.ts';
import { run } from '../cluster/commands.ts';
import { ctr } from '../cluster/containerd.ts';
import { clusterPath } from '../cluster/state.ts';

export const flaggedImage = 'serin.test/flagged:1';

/** What the image has for it; all versions are the same program. */
async function programText(): Promise<Buffer> {
  const result = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: ['main.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    keepNames: true,
    write: false,
    logLevel: 'warning',
  });
  const file = result.outputFiles[0];
  if (file === undefined) throw new Error('esbuild gave no file for the flagged application');
  return Buffer.from(file.contents);
}

/** Paths as the dynamic linker names them, its own among them: where the image must have them, too. */
async function librariesOf(program: string): Promise<string[]> {
  const listed = await run('ldd', [program]);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '');
}

/** Imports the image into the local cluster, once per program and Node.js. */
export async function ensureFlaggedImage(say: (line: string) => void): Promise<void> {
  const text = await programText();
  const version = createHash('sha256').update(process.version).update(text).digest('hex');
  const marker = clusterPath('images', 'flagged');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === version) return;
  say('importing the image of the flagged application');
  const files = new Map([['app.cjs', text]]);
  for (const path of await librariesOf(process.execPath)) files.set(path.slice(1), readFileSync(path));
  const archive = clusterPath('images', 'flagged.tar');
  const binary = readFileSync(process.execPath);
  writeFileSync(archive, imageArchive({ program: 'node', binary, args: ['/app.cjs'], files, tags: [flaggedImage] }));
  await ctr(['images', 'import', archive]);
  rmSync(archive);
  writeFileSync(marker, version);
}
