/**
 * Stands between the operator and its flag backend, and is whatever a backend can be on a bad day. It changes nothing that
 * goes through, and counts only what was really handed on.
 */
import { createServer, request as send } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** `lying`: writes are answered as if they had been done, and are not handed on. A number: every request is answered with it. */
export type Behaviour = 'passing' | 'stopped' | 'hanging' | 'lying' | 500 | 403 | 429;

/** A write that came in, in the order of coming. */
export interface WriteSeen {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  /** Answered by the backend itself with success. */
  readonly wasDone: boolean;
}

/** Something that happens once, at the next write: before it is handed on (it is lost then), before its answer, after it. */
export interface AtWrite {
  readonly when: 'before' | 'during' | 'after';
  readonly act: () => Promise<unknown>;
}

export class FlagProxy {
  readonly writes: WriteSeen[] = [];
  /** Requests of any kind, also those that got no answer. */
  requests = 0;
  atNextWrite: AtWrite | undefined;
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #behaviour: Behaviour = 'passing';
  #port = 0;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param target where the backend is; its path is kept, and put before that of each request */
  static async start(target: string): Promise<FlagProxy> {
    const proxy = new FlagProxy(new URL(target));
    await proxy.#listen();
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** From now on. Connections that are open are ended: a client finds out as with a real backend. */
  async behave(behaviour: Behaviour): Promise<void> {
    const wasStopped = this.#behaviour === 'stopped';
    this.#behaviour = behaviour;
    for (const socket of this.#sockets) socket.destroy();
    if (behaviour === 'stopped' && !wasStopped) await new Promise((resolve) => this.#server.close(resolve));
    if (behaviour !== 'stopped' && wasStopped) await this.#listen();
  }

  async close(): Promise<void> {
    await this.behave('stopped');
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const body = await bodyOf(request);
    const isAWrite = !['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? '') && request.url?.includes('/admin/');
    const behaviour = this.#behaviour;
    if (behaviour === 'hanging') return;
    if (typeof behaviour === 'number') refuse(response, behaviour);
    else if (!isAWrite) relay(response, await this.#handOn(request, body));
    else if (behaviour === 'lying') {
      this.#note(request, false);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } else await this.#write(request, response, body);
  }

  async #write(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const at = this.atNextWrite;
    this.atNextWrite = undefined;
    if (at?.when === 'before') {
      this.#note(request, false);
      await at.act();
      response.destroy();
      return;
    }
    const answer = await this.#handOn(request, body);
    this.#note(request, answer.status < 300);
    if (at?.when === 'during') {
      await at.act();
      response.destroy();
      return;
    }
    relay(response, answer);
    if (at?.when === 'after') response.once('finish', () => void at.act());
  }

  #note({ method = '', url = '' }: IncomingMessage, wasDone: boolean): void {
    this.writes.push({ atMs: Date.now(), method, path: url, wasDone });
  }

  #handOn(request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port, pathname, host } = this.#target;
    const path = `${pathname.replace(/\/$/, '')}${request.url ?? '/'}`;
    const headers = { ...request.headers, host, connection: 'close' };
    return new Promise((resolve, reject) => {
      const call = send({ hostname, port, path, method: request.method, headers, agent: false }, (answer) => {
        bodyOf(answer).then(
          (content) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, content }),
          reject,
        );
      });
      call.on('error', reject).end(body);
    });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly content: Buffer;
}

function relay(response: ServerResponse, { status, headers, content }: Answer): void {
  const { connection: _, 'transfer-encoding': __, ...others } = headers;
  response.writeHead(status, { ...others, 'content-length': content.length }).end(content);
}

function refuse(response: ServerResponse, status: number): void {
  const later = status === 429 ? { 'retry-after': '60' } : {};
  const body = JSON.stringify({ name: 'Refused', message: `answered ${status} by the story` });
  response.writeHead(status, { 'content-type': 'application/json', ...later }).end(body);
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
