/**
 * The way of one user to the server, whatever carries it: latency and faults happen here. A request that its caller gave
 * up while it was on the way may have taken effect.
 */
import type { Clock } from '../kube/clock.ts';
import { EventStream } from './event-stream.ts';
import type { Fault, Faults } from './faults.ts';
import type { ApiServer } from './server/api-server.ts';
import type { Answer, Asked } from './server/asked.ts';
import { Refusal, statusOf } from './server/refusals.ts';

export interface WayOptions {
  readonly server: ApiServer;
  readonly clock: Clock;
  readonly latencyMs: () => number;
  readonly faults?: Faults;
}

/** The connection broke; whether the request took effect cannot be known. */
export class Broken extends Error {
  override readonly name = 'Broken';
  readonly code = 'ECONNRESET';

  constructor() {
    super('socket hang up');
  }
}

export class Way {
  readonly #options: WayOptions;

  constructor(options: WayOptions) {
    this.#options = options;
  }

  /** Throws Broken, or the reason of `signal`. */
  async ask(asked: Asked, signal: AbortSignal): Promise<Answer> {
    const fault = await this.#arrive(asked, signal);
    if (fault?.kind === 'refused') return refusedBy(fault);
    const hasEffect = fault === undefined || fault.kind === 'late' || fault.effect === 'done';
    const answer = hasEffect ? this.#options.server.answer(asked) : undefined;
    if (fault?.kind === 'cut') throw new Broken();
    return fault?.kind === 'silent' || answer === undefined ? silence(signal) : answer;
  }

  /** A watch as lines. Throws a Refusal, Broken, or the reason of `signal`; afterwards the stream only ends. */
  async open(asked: Asked, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const fault = await this.#arrive(asked, signal);
    if (fault?.kind === 'refused') throw new Refusal(fault.status, fault.reason, fault.message);
    if (fault?.kind === 'cut') throw new Broken();
    if (fault?.kind === 'silent') return silence(signal);
    const { server, clock, latencyMs, faults } = this.#options;
    const lagMs = (): number => latencyMs() + (faults?.watchLagMs?.(asked) ?? 0);
    const endsNow = (): boolean => faults?.endsWatch?.(asked) ?? false;
    return new EventStream({ server, asked, clock, lagMs, endsNow }, signal);
  }

  async #arrive(asked: Asked, signal: AbortSignal): Promise<Fault | undefined> {
    const { clock, latencyMs, faults } = this.#options;
    const fault = faults?.on?.(asked);
    const ms = latencyMs() + (fault?.kind === 'late' ? fault.delayMs : 0);
    // Never in the same breath, not even without latency: no network is that fast, and callers rely on it.
    if (ms > 0) await clock.sleep(ms, signal);
    else await Promise.resolve();
    signal.throwIfAborted();
    return fault;
  }
}

function refusedBy({ status, reason, message }: Fault & { readonly kind: 'refused' }): Answer {
  return { status, body: statusOf(new Refusal(status, reason, message)), warnings: [] };
}

/** Settles only when the caller gives up. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
