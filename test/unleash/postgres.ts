/**
 * A PostgreSQL for one Unleash: its files in a directory of its own, reached by a socket there and over no network, and gone
 * with it. It keeps nothing over a crash of the machine, for which it starts faster.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../cluster/commands.ts';

export interface Postgres {
  /** Directory of the socket: what clients take for the host. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Who the server runs as: it refuses to be root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

export const databaseUser = 'unleash';

const newDatabase = ['-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];

/** `programs` has `bin`, `lib` and `share`; `directory` is empty, and its path short, for the socket is in it. */
export async function startPostgres(programs: string, directory: string): Promise<Postgres> {
  const place = new Place(programs, directory, process.getuid?.() === 0 ? nobody() : undefined);
  await place.run('initdb', ['-D', place.data, '-U', databaseUser, ...newDatabase]);
  const settings = ['listen_addresses=', `unix_socket_directories=${directory}`, 'fsync=off', 'full_page_writes=off'];
  const server = place.spawn('postgres', ['-D', place.data, ...settings.flatMap((setting) => ['-c', setting])]);
  const exited = new Promise<void>((resolve) => void server.once('exit', () => resolve()));
  const stop = () => {
    // Without waiting for clients, and without writing down what nobody will read.
    server.kill('SIGQUIT');
    return exited;
  };
  // A program that is loaded here may end this process whenever it likes.
  process.once('exit', () => void server.kill('SIGQUIT'));
  try {
    await waitUntil('PostgreSQL to be ready', async () => isReady(place.data), 60_000, 50);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: directory, stop };
}

class Place {
  readonly data: string;
  readonly #bin: string;
  readonly #log: number;
  readonly #account: Account | undefined;

  constructor(programs: string, directory: string, account: Account | undefined) {
    this.data = join(directory, 'data');
    this.#log = openSync(join(directory, 'log'), 'a');
    this.#account = account;
    this.#bin = join(account === undefined ? programs : copyFor(account, programs, directory), 'bin');
  }

  spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn(join(this.#bin, program), args, {
      cwd: join(this.data, '..'),
      // Not what it was given itself: whoever waits for the end of that would wait for this, too.
      stdio: ['ignore', this.#log, this.#log],
      // A signal for the whole group, such as that of Ctrl-C, is not for it: it ends when it is told.
      detached: true,
      ...this.#account,
    });
  }

  async run(program: string, args: readonly string[]): Promise<void> {
    const child = this.spawn(program, args);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once('error', reject).once('close', resolve);
    const code = await promise;
    if (code !== 0)
      throw new Error(
        `${program} of PostgreSQL ended with ${code}: ${readFileSync(join(this.data, '..', 'log'), 'utf8')}`,
      );
  }
}

/** Another account cannot read what is in the home of root. */
function copyFor({ uid, gid }: Account, programs: string, directory: string): string {
  const copy = join(directory, 'programs');
  cpSync(programs, copy, { recursive: true, verbatimSymlinks: true });
  chownSync(directory, uid, gid);
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  chownSync(join(directory, 'data'), uid, gid);
  return copy;
}

function nobody(): Account {
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (line === null) throw new Error('PostgreSQL does not run as root, and this machine has no account called nobody');
  return { uid: Number(line[1]), gid: Number(line[2]) };
}

/** The eighth line of its own note. */
function isReady(data: string): boolean {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
