/**
 * Sends requests at a constant rate, whether answers come or not, and counts what became of each. It never tries again, and
 * never takes what this machine could not send for something that Serin or a gateway has lost.
 */
import { Agent } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { codeOf } from './proxy.ts';

export interface LoadOptions {
  readonly clock: Clock;
  readonly url: string;
  /** Header `Host`, by which the gateway finds the route. */
  readonly host: string;
  readonly ratePerSecond: number;
  /** A request without an answer for this long is lost. */
  readonly timeoutMs?: number;
  /**
   * Requests under way at once; default 32. Where sender, gateway and pods share one process, more would only wait for each
   * other until they are lost: Node.js accepts one connection in each turn of its loop, and turns are long on a busy machine.
   */
  readonly mostUnderWay?: number;
}

/** What one version answered. */
export interface VersionCounts {
  readonly good: number;
  /** Status 500 or more, from the application. */
  readonly bad: number;
  /** Monotonic time. */
  readonly firstBadMs: number | undefined;
  readonly lastAnswerMs: number;
}

export interface LoadCounts {
  readonly sent: number;
  /** Due and never sent: as many were under way as may be, for longer than a moment. No user waited for these. */
  readonly heldBack: number;
  /** Every request that got any answer. */
  readonly answered: number;
  /** Of those, by the gateway because no pod did. */
  readonly refused: number;
  readonly versions: ReadonlyMap<string, VersionCounts>;
  /** Why requests were not answered by the application, and how many. */
  readonly troubles: ReadonlyMap<string, number>;
}

const noAnswers: VersionCounts = { good: 0, bad: 0, firstBadMs: undefined, lastAnswerMs: 0 };
const tickMs = 10;
/** What is due for longer than this is not sent any more: it would hide how late it is. */
const stillWantedMs = 1_000;

export class Load {
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #underWay = new Set<Promise<void>>();
  readonly #versions = new Map<string, VersionCounts>();
  readonly #troubles = new Map<string, number>();
  #sent = 0;
  #heldBack = 0;
  #answered = 0;
  #refused = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { timeoutMs = 10_000 } = options;
    // As many connections as there are requests at once: a slow answer must not hold back the next request.
    this.#agent = new Agent({ pipelining: 1, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  get counts(): LoadCounts {
    return {
      sent: this.#sent,
      heldBack: this.#heldBack,
      answered: this.#answered,
      refused: this.#refused,
      versions: new Map(this.#versions),
      troubles: new Map(this.#troubles),
    };
  }

  /** Sends until `end` aborts, then waits for what is under way; when `cut` aborts, at once for nothing any more. */
  async run(end: AbortSignal, cut: AbortSignal): Promise<void> {
    const { clock, ratePerSecond } = this.#options;
    const signal = AbortSignal.any([end, cut]);
    const startMs = clock.monotonicMs();
    const onCut = (): void => void this.#agent.destroy();
    cut.addEventListener('abort', onCut);
    while (!signal.aborted) {
      this.#sendUntil(Math.floor(((clock.monotonicMs() - startMs) * ratePerSecond) / 1_000));
      await clock.sleep(tickMs, signal);
    }
    await Promise.all(this.#underWay);
    cut.removeEventListener('abort', onCut);
    await this.#agent.destroy();
  }

  /** @param due how many should have been sent by now. */
  #sendUntil(due: number): void {
    const { ratePerSecond, mostUnderWay = 32 } = this.#options;
    // After a moment in which the machine stood still, what is due comes quickly, but not all in one breath.
    const breath = Math.max(1, Math.ceil((5 * ratePerSecond * tickMs) / 1_000));
    const end = Math.min(due - this.#heldBack, this.#sent + breath);
    while (this.#sent < end && this.#underWay.size < mostUnderWay) this.#send();
    const late = due - this.#heldBack - this.#sent;
    this.#heldBack += Math.max(0, late - Math.ceil((ratePerSecond * stillWantedMs) / 1_000));
  }

  #send(): void {
    this.#sent += 1;
    const exchange = this.#exchange().finally(() => this.#underWay.delete(exchange));
    this.#underWay.add(exchange);
  }

  async #exchange(): Promise<void> {
    const { url, host, clock } = this.#options;
    try {
      const answer = await this.#agent.request({ origin: url, path: '/', method: 'GET', headers: { host } });
      const said = await answer.body.text();
      const version = answer.headers['x-version'];
      if (typeof version === 'string') this.#count(version, answer.statusCode, clock.monotonicMs());
      else this.#refuse(`${answer.statusCode} ${said.trim()}`);
    } catch (error) {
      // Neither answered nor tried again: that is what lost means.
      this.#note(codeOf(error));
    }
  }

  #refuse(why: string): void {
    this.#answered += 1;
    this.#refused += 1;
    this.#note(why);
  }

  #note(trouble: string): void {
    this.#troubles.set(trouble, (this.#troubles.get(trouble) ?? 0) + 1);
  }

  #count(version: string, status: number, nowMs: number): void {
    this.#answered += 1;
    const before = this.#versions.get(version) ?? noAnswers;
    const isBad = status >= 500;
    this.#versions.set(version, {
      good: before.good + (isBad ? 0 : 1),
      bad: before.bad + (isBad ? 1 : 0),
      firstBadMs: before.firstBadMs ?? (isBad ? nowMs : undefined),
      lastAnswerMs: nowMs,
    });
  }
}
