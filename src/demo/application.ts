/** The program that runs in the demo's pods: answers requests, fails the share that its version fails, counts both. It knows no cluster. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../kube/clock.ts';
import { type Place, type Served, serve } from './serve.ts';

export interface ApplicationOptions {
  /** Told with each answer, in the header `x-version`. */
  readonly version: string;
  /** Share of the answers that are 500, from 0 to 1. */
  readonly badRate: number;
  readonly random: Random;
}

export interface Application extends Served {
  /** How many requests came so far, those for metrics and health not counted. */
  readonly requests: number;
  /** From here on each answer ends its connection, so that callers find other pods. */
  leave(): void;
}

/** Also serves /healthz and /metrics; those are not counted. */
export async function serveApplication(
  { version, badRate, random }: ApplicationOptions,
  place?: Place,
): Promise<Application> {
  const counts = new Map<number, number>();
  let requests = 0;
  let isLeaving = false;
  const served = await serve((request, response) => {
    if (isLeaving) response.setHeader('connection', 'close');
    if (request.url === '/metrics') return answer(response, 200, exposition(counts));
    if (request.url === '/healthz') return answer(response, 200, 'ok\n');
    requests += 1;
    const status = random() < badRate ? 500 : 200;
    counts.set(status, (counts.get(status) ?? 0) + 1);
    response.setHeader('x-version', version);
    answer(response, status, status === 200 ? `hello from ${version}\n` : `${version} is broken\n`);
    consume(request);
  }, place);
  return {
    ...served,
    get requests() {
      return requests;
    },
    leave: () => {
      isLeaving = true;
    },
  };
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** A body that nobody reads would block the connection. */
function consume(request: IncomingMessage): void {
  request.resume();
}

/** As client libraries write it: the series of a status is born with its first answer. */
function exposition(counts: ReadonlyMap<number, number>): string {
  const lines = [...counts].map(([status, count]) => `http_requests_total{code="${status}"} ${count}`);
  return [
    '# HELP http_requests_total Requests that were answered, by status.',
    '# TYPE http_requests_total counter',
    ...lines,
    '',
  ].join('\n');
}
