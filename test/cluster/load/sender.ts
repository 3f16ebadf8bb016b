/** Sends one request, on a new connection or on one of a pool that is kept. */
import { Agent, request } from 'node:http';
import type { RequestOptions } from 'node:http';
import type { Outcome, RequestRecord } from './record.ts';

const timeoutMs = 10_000;

export interface Target {
  url: string;
  host?: string;
}

/** `send` never rejects: whatever happens is an outcome. */
export interface Sender {
  send: (fresh: boolean) => Promise<RequestRecord>;
  close: () => void;
}

/** Wall clock with fractions: times in the log are compared with those of the audit log. */
export function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 10) / 10;
}

/** The pool may grow without bound: a slow answer must never hold back the next request. */
export function createSender(target: Target): Sender {
  const pool = new Agent({ keepAlive: true, maxFreeSockets: 32, scheduling: 'fifo' });
  const address = new URL(target.url);
  const headers = target.host === undefined ? {} : { host: target.host };
  const place = { hostname: address.hostname, port: address.port, path: address.pathname + address.search, headers };
  const send = (fresh: boolean): Promise<RequestRecord> => {
    const sentAt = now();
    const agent = fresh ? false : pool;
    return exchange({ ...place, agent }).then((answer) => ({ sentAt, doneAt: now(), fresh, ...answer }));
  };
  return { send, close: () => pool.destroy() };
}

/** One request and its answer; the time limit is for the whole exchange. */
function exchange(options: RequestOptions): Promise<{ version: string; outcome: Outcome }> {
  return new Promise((resolve) => {
    let version = '';
    const limit = setTimeout(() => {
      resolve({ version: '', outcome: 'timeout' });
      call.destroy();
    }, timeoutMs);
    const finish = (outcome: Outcome): void => {
      clearTimeout(limit);
      resolve({ version, outcome });
    };
    const call = request(options, (response) => {
      version = String(response.headers['x-version'] ?? '');
      const status = response.statusCode ?? 0;
      response.on('end', () => finish(status));
      response.on('error', () => finish('error'));
      response.resume();
    });
    call.on('error', () => finish('error'));
    call.end();
  });
}
