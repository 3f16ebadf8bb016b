/**
 * The process that an Unleash of the tests lives in, with its PostgreSQL. It ends, and takes everything of its own along, when
 * its standard input does: whoever started it may be killed in any way.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureUnleashPackages } from './install.ts';
import { type Postgres, databaseUser, startPostgres } from './postgres.ts';

/** What of Unleash is used. */
interface UnleashProgram {
  start(options: object): Promise<unknown>;
}

/** What the process is given as its only argument, as JSON. */
export interface RunnerOptions {
  readonly host: string;
  readonly port: number;
  readonly adminToken: string;
  readonly clientToken: string;
}

const directory = mkdtempSync(join(tmpdir(), 'serin-unleash-'));
let postgres: Postgres | undefined;

async function main({ host, port, adminToken, clientToken }: RunnerOptions): Promise<void> {
  const packages = await ensureUnleashPackages();
  process.env['INIT_ADMIN_API_TOKENS'] = adminToken;
  process.env['INIT_BACKEND_API_TOKENS'] = clientToken;
  const program: UnleashProgram = await import(pathToFileURL(packages.server).href);
  postgres = await startPostgres(packages.postgres, directory);
  await program.start({
    db: { host: postgres.host, port: 5432, user: databaseUser, password: '', database: 'postgres', ssl: false },
    server: { host, port, gracefulShutdownEnable: false },
    versionCheck: { enable: false },
    telemetry: false,
    logLevel: 'warn',
  });
  process.stdout.write('ready\n');
}

async function end(code: number): Promise<never> {
  await postgres?.stop();
  process.exit(code);
}

process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

process.stdin.on('end', () => void end(0)).resume();
// Whoever started it decides, not the terminal.
process.on('SIGINT', () => undefined);
try {
  await main(JSON.parse(process.argv[2] ?? '{}'));
} catch (error) {
  console.error(error);
  await end(1);
}
