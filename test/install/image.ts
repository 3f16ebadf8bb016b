/**
 * The operator's image without a registry: what the Dockerfile puts together, from the Node.js that runs here, the libraries
 * that it names, and the bundle of the sources as they are now.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../cluster/commands.ts';
import { ctr } from '../cluster/containerd.ts';
import { repository } from '../e2e/harness/ground.ts';

/** Where the base image of the Dockerfile has Node.js. */
const nodePath = '/nodejs/bin/node';

/** Builds the image and imports it into the test cluster's containerd under this name. */
export async function importOperatorImage(name: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'serin-image-'));
  try {
    const layer = await layerIn(work);
    await ctr(['images', 'import', await archiveIn(work, layer, name)]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One layer with everything, as a tar file. */
async function layerIn(work: string): Promise<string> {
  const root = join(work, 'root');
  const node = realpathSync(process.execPath);
  place(root, nodePath, node);
  for (const library of await librariesOf(node)) place(root, library, library);
  // Its own process: the bundler is a native program that Jest's sandbox is in the way of.
  const script = `const { bundle } = await import(${JSON.stringify(join(repository, 'build', 'bundle.ts'))});
    await bundle(new URL(${JSON.stringify(`file://${repository}/`)}), new URL(${JSON.stringify(`file://${root}/serin.js`)}));`;
  await run(process.execPath, ['--input-type=module', '--eval', script]);
  rmSync(join(root, 'serin.js.map'), { force: true });
  const layer = join(work, 'layer.tar');
  await run('tar', ['--create', '--file', layer, '--directory', root, '--owner=0', '--group=0', '.']);
  return layer;
}

function place(root: string, path: string, from: string): void {
  const to = join(root, path);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(realpathSync(from), to);
}

/** What the loader would load, by the names under which the program looks for it. */
export async function librariesOf(program: string): Promise<readonly string[]> {
  const listed = await run('ldd', [program]);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map((found) => found[1] ?? '').filter((path) => existsSync(path));
}

async function archiveIn(work: string, layer: string, name: string): Promise<string> {
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [nodePath, '/serin.js'], User: '65532:65532', WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(readFileSync(layer))}`] },
    history: [{ created_by: 'serin install test' }],
  });
  const configName = `${sha256(config)}.json`;
  writeFileSync(join(work, configName), config);
  const manifest = [{ Config: configName, RepoTags: [name], Layers: ['layer.tar'] }];
  writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(work, 'image.tar');
  await run('tar', ['--create', '--file', archive, '--directory', work, configName, 'layer.tar', 'manifest.json']);
  return archive;
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
