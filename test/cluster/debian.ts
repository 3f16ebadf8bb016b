/** Programs that come from the system and not from Go modules: the container runtime and a few tools. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Layout } from './addresses.ts';
import { run } from './commands.ts';

/** Program or file that must be there, and the Debian package that has it. */
interface Needed {
  readonly package: string;
  readonly program?: string;
  readonly file?: string;
}

const openssl: Needed = { package: 'openssl', program: 'openssl' };

const forNode: readonly Needed[] = [
  { package: 'containerd', program: 'containerd' },
  { package: 'runc', program: 'runc' },
  { package: 'containernetworking-plugins', file: '/usr/lib/cni/bridge' },
  { package: 'iproute2', program: 'ip' },
  openssl,
  { package: 'util-linux', program: 'umount' },
];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(program: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => directory !== '' && executable(join(directory, program)));
}

/** Packages whose program is missing on this machine. */
function missingPackages(of: Layout): string[] {
  return (of === 'node' ? forNode : [openssl])
    .filter(({ program, file }) => (program ? !onPath(program) : !executable(file ?? '')))
    .map((entry) => entry.package);
}

/** Installs what is missing with apt; where that is impossible the error names the packages. */
export async function installMissingPackages(say: (line: string) => void, of: Layout): Promise<void> {
  const packages = missingPackages(of);
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    throw new Error(`these are missing: ${packages.join(', ')}; install them with the system's package manager`);
  }
  say(`installing Debian packages: ${packages.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env });
}
