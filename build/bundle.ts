/**
 * Builds the program into one file, dist/serin.js, that needs nothing but Node.js beside it, and prints what it weighs. It
 * must keep class names: those of errors are part of the logs.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

/** Some packages are CommonJS inside and call `require` for what Node.js brings; an ES module has none of its own. */
const banner = `#!/usr/bin/env node
import { createRequire as createRequireOfSerin } from 'node:module';
const require = createRequireOfSerin(import.meta.url);`;

export interface Bundled {
  /** Size of the program in bytes. */
  readonly bytes: number;
  readonly gzippedBytes: number;
  /** Bytes by package, largest first; `serin` is this project's own code. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[];
}

/** Writes `outfile`, its source map, and `metafile` when it is given. */
export async function bundle(root: URL, outfile: URL, metafile?: URL): Promise<Bundled> {
  const result = await build({
    absWorkingDir: fileURLToPath(root),
    entryPoints: ['src/main.ts'],
    outfile: fileURLToPath(outfile),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    keepNames: true,
    sourcemap: 'external',
    banner: { js: banner },
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  await mkdir(new URL('./', outfile), { recursive: true });
  for (const file of result.outputFiles) await writeFile(file.path, file.contents);
  await chmod(outfile, 0o755);
  if (metafile !== undefined) await writeFile(metafile, JSON.stringify(result.metafile));
  const program = result.outputFiles.find((file) => file.path === fileURLToPath(outfile));
  const contents = program?.contents ?? new Uint8Array();
  return { bytes: contents.length, gzippedBytes: gzipSync(contents).length, packages: packagesIn(result.metafile) };
}

function packagesIn({ outputs }: Metafile): Bundled['packages'] {
  const bytesOf = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap((output) => Object.entries(output.inputs))) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'serin';
    bytesOf.set(name, (bytesOf.get(name) ?? 0) + bytesInOutput);
  }
  return [...bytesOf].map(([name, bytes]) => ({ name, bytes })).toSorted((one, other) => other.bytes - one.bytes);
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL('../', import.meta.url);
  const wantsMetafile = process.argv.includes('--metafile');
  const metafile = wantsMetafile ? new URL('dist/meta.json', root) : undefined;
  const { bytes, gzippedBytes, packages } = await bundle(root, new URL('dist/serin.js', root), metafile);
  console.log(`dist/serin.js  ${kib(bytes)}, ${kib(gzippedBytes)} gzipped`);
  if (wantsMetafile) for (const { name, bytes: own } of packages) console.log(`  ${kib(own).padStart(9)}  ${name}`);
}
