/** Building one Go program, with a sign of life while it takes minutes. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { builtDirectory, definitionsDirectory, moduleDirectory, binaryNamed } from './binaries.ts';
import type { Binary } from './binaries.ts';
import { run } from './commands.ts';

const environment = { CGO_ENABLED: '0', GOWORK: 'off' };

/** Throws with a sentence when there is no Go toolchain. */
export async function requireGo(): Promise<string> {
  return run('go', ['env', 'GOVERSION']).then(
    (version) => version.trim(),
    () => {
      throw new Error('no Go toolchain found: install Go 1.26 or newer (the test cluster is built from Go modules)');
    },
  );
}

/** Compiles at low priority into the cache; the file appears under its name only when it is complete. */
export function buildBinary(binary: Binary): Promise<void> {
  const target = join(builtDirectory(binary), binary.name);
  const unfinished = `${target}.building`;
  mkdirSync(builtDirectory(binary), { recursive: true });
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', ...binary.buildArguments];
  return new Promise((resolve, reject) => {
    const child = spawn('go', [...args, '-o', unfinished, binary.package], {
      cwd: moduleDirectory(binary),
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (child.pid !== undefined) setPriority(child.pid, 5);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) {
        rmSync(unfinished, { force: true });
        reject(new Error(`${binary.package} does not build:\n${errors.trim().split('\n').slice(-20).join('\n')}`));
        return;
      }
      renameSync(unfinished, target);
      resolve();
    });
  });
}

/** Directory of a dependency in Go's module cache. */
async function moduleInCache(name: string, from: Binary): Promise<string> {
  const directory = await run('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', name], {
    cwd: moduleDirectory(from),
  });
  if (directory.trim() !== '') return directory.trim();
  await run('go', ['mod', 'download', name], { cwd: moduleDirectory(from) });
  return (
    await run('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', name], { cwd: moduleDirectory(from) })
  ).trim();
}

/** Copies the CRDs of the Gateway API and of Traefik, in the versions that Traefik's own go.mod names, into the cache. */
export async function copyDefinitions(): Promise<void> {
  const traefik = binaryNamed('traefik');
  const sources = [
    join(await moduleInCache('sigs.k8s.io/gateway-api', traefik), 'config/crd/standard'),
    join(await moduleInCache('github.com/traefik/traefik/v3', traefik), 'docs/content/reference/dynamic-configuration'),
  ];
  const unfinished = `${definitionsDirectory()}.copying`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const source of sources) {
    const files = readdirSync(source).filter((file) =>
      /^(gateway\.networking\.k8s\.io|traefik\.io)_.*\.yaml$/.test(file),
    );
    for (const file of files) cpSync(join(source, file), join(unfinished, file));
  }
  renameSync(unfinished, definitionsDirectory());
}
