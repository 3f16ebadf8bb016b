/** Reads one watch from its opening to its end and makes sure that it has one; it never resumes and never keeps an event. */
import type { Clock, Random } from './clock.ts';
import { linkTo } from './deadline.ts';
import { errorOfStatus, KubeError } from './errors.ts';
import { type KubeObject, pathOf, pathTemplateOf, type ResourceKind } from './resources.ts';
import type { KubeRequest, Transport } from './transport.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** Of a bookmark only `metadata.resourceVersion` means something. */
  readonly object: KubeObject;
}

export interface WatchTarget {
  readonly kind: ResourceKind;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** The state to go on from. */
  readonly resourceVersion: string;
}

export interface WatchOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** Without a line for this long the watch ends. */
  readonly livenessMs: number;
}

/** The server ends a watch after 5 to 10 minutes, at random, so that a fleet does not come back all at once. */
const shortestWatchMs = 300_000;
const longestWatchMs = 600_000;
/** A server that does not end it in time is not asked again. */
const overdueMs = 5_000;
/** A watch that ends empty within this time is a failure: coming back at once would be a hot loop. */
const veryShortMs = 1_000;

export class Watch {
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /**
   * Yields events until the watch ends: by the server, by its age or by silence, which are all ordinary. Throws a
   * KubeError for everything else, a `Gone` when the place is lost. `onLine` is called for each sign of life.
   */
  async *events(target: WatchTarget, onLine: () => void, signal: AbortSignal): AsyncGenerator<WatchEvent, void, void> {
    const { clock, random, transport } = this.#options;
    const timeoutMs = Math.floor(shortestWatchMs + random() * (longestWatchMs - shortestWatchMs));
    const link = linkTo(signal);
    const life = new Life(clock, this.#options.livenessMs, timeoutMs + overdueMs, () => link.controller.abort());
    const startMs = clock.monotonicMs();
    const request = requestOf(target, timeoutMs);
    let count = 0;
    try {
      const lines = await transport.stream(request, link.controller.signal);
      life.sign();
      onLine();
      for await (const line of lines) {
        life.sign();
        onLine();
        count++;
        yield eventIn(line, request);
      }
    } catch (error) {
      if (life.isOver && !signal.aborted) return;
      throw error;
    } finally {
      life.end();
      link.controller.abort();
      link.release();
    }
    if (count === 0 && clock.monotonicMs() - startMs < veryShortMs && !signal.aborted) {
      throw new KubeError(`${request.action}: the API server ended it at once, without an event`, {
        code: 'Unavailable',
        retry: 'backoff',
      });
    }
  }
}

/** Two deadlines of one watch: a total one and one since the last sign of life. */
class Life {
  readonly #clock: Clock;
  readonly #livenessMs: number;
  readonly #onOver: () => void;
  #lastSignMs: number;
  #silence;
  readonly #age;
  isOver = false;

  constructor(clock: Clock, livenessMs: number, ageMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#livenessMs = livenessMs;
    this.#onOver = onOver;
    this.#lastSignMs = clock.monotonicMs();
    this.#silence = clock.after(livenessMs, () => this.#listen());
    this.#age = clock.after(ageMs, () => this.#over());
  }

  sign(): void {
    this.#lastSignMs = this.#clock.monotonicMs();
  }

  end(): void {
    this.#silence.cancel();
    this.#age.cancel();
  }

  /** Looks only when the timer fires, so that an event costs no timer. */
  #listen(): void {
    const quietMs = this.#clock.monotonicMs() - this.#lastSignMs;
    if (quietMs >= this.#livenessMs) return this.#over();
    this.#silence = this.#clock.after(this.#livenessMs - quietMs, () => this.#listen());
  }

  #over(): void {
    this.isOver = true;
    this.end();
    this.#onOver();
  }
}

function requestOf(target: WatchTarget, timeoutMs: number): KubeRequest & { readonly action: string } {
  const { kind, namespace, labelSelector, fieldSelector, resourceVersion } = target;
  return {
    method: 'GET',
    path: pathOf(kind, kind.namespaced ? namespace : undefined),
    pathTemplate: `${pathTemplateOf(kind)}?watch`,
    action: `watch ${kind.plural}${namespace === undefined ? '' : ` in ${namespace}`}`,
    query: {
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(timeoutMs / 1000),
      resourceVersion,
      labelSelector,
      fieldSelector,
    },
  };
}

function eventIn(line: string, request: KubeRequest): WatchEvent {
  const event = parsed(line);
  if (event?.type === 'ERROR') throw errorOfStatus(request, event.object);
  if (isWatchEvent(event)) return event;
  throw new KubeError(`${request.action ?? request.path}: the API server sent a line that is not an event`, {
    code: 'Unexpected',
    retry: 'backoff',
  });
}

interface AnyEvent {
  readonly type?: unknown;
  readonly object?: { readonly metadata?: { readonly resourceVersion?: unknown } };
}

/** Nothing when it is no JSON: a parser's message would quote the object. */
function parsed(line: string): AnyEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWatchEvent(event: AnyEvent | undefined): event is WatchEvent {
  return typeof event?.type === 'string' && typeof event.object?.metadata?.resourceVersion === 'string';
}
