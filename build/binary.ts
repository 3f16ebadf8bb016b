/**
 * Builds the program and its Node.js into one file, dist/kubectl-serin, that needs nothing beside it. It works under any
 * name; under this one kubectl finds it as its plugin. The file must not be stripped: that would cut the program off.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);

/** Where Node.js looks whether a program was put into it. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** The program without the question for the version of Node.js, which is the one inside. */
const entry = `
  import { main } from './src/cli/program.ts';
  main(process.argv).then((exitCode) => { process.exitCode = exitCode; });
`;

/** Why this Node.js cannot carry a program, or undefined. Builds of distributions often keep its code in a library. */
export async function obstacleIn(nodePath: string): Promise<string | undefined> {
  const binary = await readFile(nodePath);
  return binary.includes(FUSE) ? undefined : `${nodePath} is a Node.js that no program can be put into`;
}

/** Writes `outfile` and gives its size in bytes. `nodePath`: the Node.js that goes into it. */
export async function buildBinary(root: URL, outfile: URL, nodePath = process.execPath): Promise<number> {
  const obstacle = await obstacleIn(nodePath);
  if (obstacle !== undefined) throw new Error(obstacle);
  const scratch = await mkdtemp(join(tmpdir(), 'serin-binary-'));
  try {
    const blob = await blobOf(root, scratch, nodePath);
    await mkdir(new URL('./', outfile), { recursive: true });
    // Whole or not at all: somebody may be running the old one.
    const fresh = `${fileURLToPath(outfile)}.new`;
    await copyFile(nodePath, fresh);
    await chmod(fresh, 0o755);
    await inject(root, fresh, blob);
    await rename(fresh, fileURLToPath(outfile));
    return (await stat(outfile)).size;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function blobOf(root: URL, scratch: string, nodePath: string): Promise<string> {
  const program = join(scratch, 'serin.cjs');
  const output = join(scratch, 'serin.blob');
  await build({
    absWorkingDir: fileURLToPath(root),
    stdin: { contents: entry, resolveDir: fileURLToPath(root), loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    keepNames: true,
    logLevel: 'warning',
    // A file of its own place is what a single binary does not have.
    logOverride: { 'empty-import-meta': 'error' },
  });
  const settings = { main: program, output, disableExperimentalSEAWarning: true, useCodeCache: true };
  await writeFile(join(scratch, 'sea.json'), JSON.stringify(settings));
  await run(nodePath, ['--experimental-sea-config', join(scratch, 'sea.json')]);
  return output;
}

/** macOS runs only what is signed; a signature of nobody is enough on the machine that made it. */
async function inject(root: URL, binary: string, blob: string): Promise<void> {
  const isMac = process.platform === 'darwin';
  if (isMac) await run('codesign', ['--remove-signature', binary]);
  const postject = fileURLToPath(new URL('node_modules/postject/dist/cli.js', root));
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
  await run(process.execPath, [postject, binary, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE, ...segment]);
  if (isMac) await run('codesign', ['--sign', '-', binary]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL('../', import.meta.url);
  const name = process.platform === 'win32' ? 'kubectl-serin.exe' : 'kubectl-serin';
  const bytes = await buildBinary(root, new URL(`dist/${name}`, root));
  console.log(`dist/${name}  ${(bytes / 1024 / 1024).toFixed(0)} MiB`);
}
