// Reads the metrics endpoint of one pod. What a pod sends belongs to its tenant: it never follows a redirect, sends no credential,
// reads no endless body, waits for nobody, and repeats nothing of what was sent.
import type { Dispatcher } from 'undici';
import type { Clock } from '../kube/clock.ts';
import { Allowance, abandon, readBytes } from './body-bytes.ts';
import { type Exposed, parseExposition } from './exposition.ts';
import { type Fetched, down } from './fetched.ts';
import { whyUnreachable } from './unreachable.ts';

export interface PodReadsOptions {
  readonly clock: Clock;
  /** Certificates of pods are not checked: they cannot be for an address, and what is read is no secret. */
  readonly dispatcher: Dispatcher;
  /** Shared by all that is read at once. */
  readonly allowance: Allowance;
  /** Default: 5 MiB. */
  readonly largestBytes?: number;
  /** For the samples that all releases keep, beyond the small part that each has for itself. Default: 96 MiB. */
  readonly room?: Allowance;
}

export interface PodEndpoint {
  readonly pod: string;
  /** "http://10.0.0.1:8080/metrics". */
  readonly address: string;
}

export interface PodRead {
  readonly exposed: Fetched<readonly Exposed[]>;
  /** What the answer had to be read for, whether or not it is of use. */
  readonly bytes: number;
}

interface Queue {
  atOnce: number;
  readonly waiting: (() => void)[];
}

const largestBytes = 5 * 1024 * 1024;
const roomBytes = 96 * 1024 * 1024;
const patienceMs = 2_000;
/** Of all releases together, and of one of them: pods that never answer must not hold up those of others (S15). */
const mostAtOnce = 128;
const mostOfOne = 32;
/** More than one pod's counters of requests can be. */
const mostSamples = 5_000;

export class PodReads {
  readonly #options: PodReadsOptions;
  readonly room: Allowance;
  /** In the order in which they had their last turn. */
  readonly #queues = new Map<object, Queue>();
  #atOnce = 0;

  constructor(options: PodReadsOptions) {
    this.#options = options;
    this.room = options.room ?? new Allowance(roomBytes);
  }

  /** The samples that the pod exposes now, of those metrics that are wanted. `owner`: for whom; all of them have their turns. */
  async read(
    owner: object,
    endpoint: PodEndpoint,
    wants: (metric: string) => boolean,
    signal: AbortSignal,
  ): Promise<PodRead> {
    const queue = await this.#turnOf(owner);
    try {
      if (signal.aborted) return { exposed: down(`${whoOf(endpoint)} is read no more.`), bytes: 0 };
      return await this.#read(endpoint, wants, signal);
    } finally {
      queue.atOnce -= 1;
      this.#atOnce -= 1;
      if (queue.atOnce === 0 && queue.waiting.length === 0) this.#queues.delete(owner);
      this.#next();
    }
  }

  async #turnOf(owner: object): Promise<Queue> {
    const queue = this.#queues.get(owner) ?? { atOnce: 0, waiting: [] };
    this.#queues.set(owner, queue);
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.waiting.push(resolve);
    this.#next();
    await promise;
    return queue;
  }

  #next(): void {
    while (this.#atOnce < mostAtOnce) {
      const found = [...this.#queues].find(([, one]) => one.waiting.length > 0 && one.atOnce < mostOfOne);
      if (!found) return;
      const [owner, queue] = found;
      this.#queues.delete(owner);
      this.#queues.set(owner, queue);
      queue.atOnce += 1;
      this.#atOnce += 1;
      queue.waiting.shift()?.();
    }
  }

  async #read(endpoint: PodEndpoint, wants: (metric: string) => boolean, signal: AbortSignal): Promise<PodRead> {
    const { clock } = this.#options;
    const limit = new AbortController();
    const timer = clock.after(patienceMs, () => limit.abort());
    try {
      const { text, bytes } = await this.#textOf(endpoint, AbortSignal.any([signal, limit.signal]));
      return { exposed: text.kind === 'down' ? text : wanted(endpoint, text.value, wants), bytes };
    } catch (error) {
      const isLate = limit.signal.aborted;
      const why = isLate ? `did not send its metrics within ${patienceMs / 1000} s` : whyUnreachable(error);
      return { exposed: down(`${whoOf(endpoint)} ${why}.`), bytes: 0 };
    } finally {
      timer.cancel();
    }
  }

  async #textOf(
    endpoint: PodEndpoint,
    signal: AbortSignal,
  ): Promise<{ readonly text: Fetched<string>; readonly bytes: number }> {
    const { dispatcher, allowance, largestBytes: most = largestBytes } = this.#options;
    const { origin, pathname, search } = new URL(endpoint.address);
    const request = { origin, path: pathname + search, method: 'GET' as const, headers, signal };
    const { statusCode, headers: answered, body } = await dispatcher.request(request);
    const encoding = answered['content-encoding'] ?? 'identity';
    if (statusCode !== 200 || encoding !== 'identity' || Number(answered['content-length']) > most) {
      abandon(body);
      if (statusCode === 200 && encoding === 'identity') return { text: down(tooLarge(endpoint, most)), bytes: 0 };
      const what =
        statusCode >= 300 && statusCode < 400
          ? `redirects (${statusCode}), which is not followed`
          : `answers ${statusCode}`;
      const why = statusCode === 200 ? 'answers compressed, which was not asked for' : what;
      return { text: down(`${whoOf(endpoint)} ${why}: see what it serves there.`), bytes: 0 };
    }
    const read = await readBytes(body, most, allowance);
    if (read.kind === 'tooLarge') return { text: down(tooLarge(endpoint, most)), bytes: most };
    if (read.kind === 'noRoom')
      return { text: down(`${whoOf(endpoint)} is read later: other large answers are being read.`), bytes: 0 };
    return { text: { kind: 'ok', value: read.text }, bytes: read.text.length };
  }
}

const headers = {
  accept: 'text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1',
  'accept-encoding': 'identity',
  'x-prometheus-scrape-timeout-seconds': String(patienceMs / 1000),
};

function wanted(endpoint: PodEndpoint, text: string, wants: (metric: string) => boolean): Fetched<readonly Exposed[]> {
  const exposed = parseExposition(text, wants);
  if (exposed.length > mostSamples)
    return down(
      `${whoOf(endpoint)} has more than ${mostSamples} series of its requests: drop labels of these counters.`,
    );
  return { kind: 'ok', value: exposed };
}

function tooLarge(endpoint: PodEndpoint, most: number): string {
  return `${whoOf(endpoint)} sends more than ${most / 1024 / 1024} MiB of metrics, and no more is read.`;
}

function whoOf({ pod, address }: PodEndpoint): string {
  return `Pod ${pod} (${address})`;
}
