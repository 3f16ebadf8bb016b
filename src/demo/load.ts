/** Sends requests at a constant rate, whether answers come or not, and counts what became of each. It never tries again. */
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

export class Load {
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #underWay = new Set<Promise<void>>();
  readonly #versions = new Map<string, VersionCounts>();
  readonly #troubles = new Map<string, number>();
  #sent = 0;
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
      const due = Math.floor(((clock.monotonicMs() - startMs) * ratePerSecond) / 1_000);
      // After a moment in which the machine stood still, what is due comes quickly, but not all in one breath.
      const most = this.#sent + Math.max(1, Math.ceil((5 * ratePerSecond * tickMs) / 1_000));
      while (this.#sent < Math.min(due, most)) this.#send();
      await clock.sleep(tickMs, signal);
    }
    await Promise.all(this.#underWay);
    cut.removeEventListener('abort', onCut);
    await this.#agent.destroy();
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
