/**
 * Whether a Docker engine answers on this machine, asked without loading a library: most machines have none, and pay nothing
 * for it. It never starts one.
 */
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where engines listen, in the order in which testcontainers looks. */
function addresses(named: string | undefined): readonly string[] {
  if (named) return [named];
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const sockets = ['/var/run/docker.sock', ...(runtime ? [join(runtime, 'docker.sock')] : [])];
  const below = ['.docker/run/docker.sock', '.docker/desktop/docker.sock'].map((path) => join(homedir(), path));
  return [...sockets, ...below].filter((path) => existsSync(path)).map((path) => `unix://${path}`);
}

/** True when the engine at this address (`unix://…` or `tcp://…`) answers within 2 s. */
async function answers(address: string): Promise<boolean> {
  const url = URL.parse(address);
  const isSocket = url?.protocol === 'unix:';
  if (url === null || (!isSocket && url.protocol !== 'tcp:')) return false;
  const where = isSocket ? { socketPath: url.pathname } : { host: url.hostname, port: url.port || 2375 };
  return new Promise((resolve) => {
    const call = request({ ...where, path: '/_ping', agent: false, timeout: 2000 }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200));
    });
    call.on('timeout', () => call.destroy()).on('error', () => resolve(false));
    call.end();
  });
}

/** Address of the first engine that answers; of this one or none, if one is named. */
export async function engineAddress(named = process.env['DOCKER_HOST']): Promise<string | undefined> {
  for (const address of addresses(named)) {
    if (await answers(address)) return address;
  }
  return undefined;
}
