/** Carries one request from the gateway to a pod and the answer back. It never tries a second time: what is lost shall be seen. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher } from 'undici';

/** Answers 502 when the pod does not. Never rejects. */
export type Forward = (origin: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Connections to pods are kept, as many as there are requests at once. */
export function createForward(): { readonly forward: Forward; readonly close: () => Promise<void> } {
  const agent = new Agent({ pipelining: 1, headersTimeout: 10_000, bodyTimeout: 10_000, connectTimeout: 10_000 });
  return {
    forward: async (origin, request, response) => {
      try {
        const answer = await agent.request(asked(origin, request));
        response.writeHead(answer.statusCode, passedOn(answer.headers));
        await pipeline(answer.body, response);
      } catch (error) {
        if (response.headersSent) response.destroy();
        else refuse(response, 502, `the pod did not answer (${codeOf(error)})`);
      }
    },
    close: () => agent.destroy(),
  };
}

/** UND_ERR_SOCKET, ECONNREFUSED: what went wrong, in one word. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}

/** An answer of the gateway itself: it has no `x-version`. */
export function refuse(response: ServerResponse, status: 404 | 502 | 503, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${words}\n`);
}

function asked(origin: string, request: IncomingMessage): Dispatcher.RequestOptions {
  const { method = 'GET' } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return {
    origin,
    path: request.url ?? '/',
    method,
    headers: passedOn(request.headers),
    ...(hasBody ? { body: request } : {}),
  };
}

/** Of one connection only, not of the request. */
const ofTheHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect']);

function passedOn(headers: NodeJS.Dict<string | string[]>): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheHop.has(name)));
}
