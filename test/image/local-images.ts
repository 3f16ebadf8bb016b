/**
 * The two images that the Dockerfile builds on, made of files of this machine: no registry of images is needed, and what is
 * tried is the Dockerfile itself. Both are as small as what it says it needs.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../cluster/commands.ts';
import { librariesOf } from '../install/image.ts';

const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** Writes a folder that `docker build` makes the base of the final image from: Node.js and the libraries that it loads. */
export async function writeBase(folder: string): Promise<void> {
  const root = join(folder, 'root');
  await placeProgram(root, '/nodejs/bin/node', process.execPath);
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY root /\n');
}

/** The same for the image in which the program is built: Node.js, npm, a shell, and who may be trusted. */
export async function writeBuilder(folder: string): Promise<void> {
  const root = join(folder, 'root');
  await placeProgram(root, '/usr/local/bin/node', process.execPath);
  await placeProgram(root, '/bin/sh', '/bin/sh');
  await placeProgram(root, '/usr/bin/env', '/usr/bin/env');
  const npm = join(root, 'usr/local/lib/npm');
  cpSync(await npmFolder(), npm, { recursive: true, dereference: true });
  symlinkSync('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  for (const file of [authorities, '/etc/nsswitch.conf']) if (existsSync(file)) place(root, file, file);
  mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
  const environment = `ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp NODE_EXTRA_CA_CERTS=${authorities}`;
  writeFileSync(join(folder, 'Dockerfile'), `FROM scratch\nCOPY root /\n${environment}\n`);
}

/** The registry that npm is set to here: an image is built where no settings of this machine are. */
export async function npmRegistry(): Promise<string> {
  return (await run('npm', ['config', 'get', 'registry'])).trim();
}

async function npmFolder(): Promise<string> {
  return dirname(dirname(realpathSync((await run('/bin/sh', ['-c', 'command -v npm'])).trim())));
}

async function placeProgram(root: string, path: string, program: string): Promise<void> {
  place(root, path, program);
  for (const library of await librariesOf(realpathSync(program))) place(root, library, library);
}

function place(root: string, path: string, from: string): void {
  const to = join(root, path);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(realpathSync(from), to);
}
