/** Load for tests: starts the generator as its own process and answers questions about what it saw. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromLine, isBadAnswer, isGatewayError, totalsOf } from './load/record.ts';
import type { RequestLine, RequestRecord, SecondLine, SummaryLine, Totals } from './load/record.ts';

export type { Outcome, RequestRecord, SecondLine, Totals } from './load/record.ts';

export interface LoadOptions {
  /** Address of the gateway or of a pod. */
  url: string;
  /** Header `Host` that the route matches. */
  host?: string;
  ratePerSecond?: number;
  seed?: number;
  /** Where the log goes; a new temporary file if left out. */
  out?: string;
}

/** A stretch of time in milliseconds since the epoch; an end that is left out is open. */
export interface Span {
  from?: number;
  to?: number;
}

/** What was seen, with the questions that tests ask. */
export class LoadResult {
  readonly requests: readonly RequestRecord[];
  readonly seconds: readonly SecondLine[];
  readonly totals: Totals;
  /** Path of the log. */
  readonly log: string;

  constructor(log: string, requests: readonly RequestRecord[], seconds: readonly SecondLine[], totals: Totals) {
    this.log = log;
    this.requests = requests;
    this.seconds = seconds;
    this.totals = totals;
  }

  /** Requests that were sent within the span, in the order they were sent. */
  within({ from = -Infinity, to = Infinity }: Span = {}): RequestRecord[] {
    return this.requests.filter(({ sentAt }) => sentAt >= from && sentAt < to);
  }

  answersOf(version: string, span: Span = {}): RequestRecord[] {
    return this.within(span).filter((record) => record.version === version);
  }

  /** Answers in the span by version; gateway errors and losses are under ''. */
  countByVersion(span: Span = {}): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { version } of this.within(span)) counts[version] = (counts[version] ?? 0) + 1;
    return counts;
  }

  /** Part of the requests sent in the span that this version answered, from 0 to 1; NaN when none was sent. */
  shareOf(version: string, span: Span = {}): number {
    return this.answersOf(version, span).length / this.within(span).length;
  }

  /** Answers of the application with a status of 500 or more, of one version or of all. */
  badAnswers(version?: string, span: Span = {}): RequestRecord[] {
    return this.within(span).filter(
      (record) => isBadAnswer(record) && (version === undefined || record.version === version),
    );
  }

  gatewayErrors(span: Span = {}): RequestRecord[] {
    return this.within(span).filter(isGatewayError);
  }

  /** Requests without any HTTP answer. */
  lost(span: Span = {}): RequestRecord[] {
    return this.within(span).filter(({ outcome }) => typeof outcome !== 'number');
  }

  firstAnswerOf(version: string, span: Span = {}): RequestRecord | undefined {
    return earliest(this.answersOf(version, span));
  }

  lastAnswerOf(version: string, span: Span = {}): RequestRecord | undefined {
    return earliest(this.answersOf(version, span), -1);
  }

  firstBadAnswer(version?: string, span: Span = {}): RequestRecord | undefined {
    return earliest(this.badAnswers(version, span));
  }

  lastBadAnswer(version?: string, span: Span = {}): RequestRecord | undefined {
    return earliest(this.badAnswers(version, span), -1);
  }

  /**
   * When the version's share became less than `below` and stayed so for `forMs`: the start of the first stretch of that
   * length, after `from`, in which its share is smaller. This is how a lowering of the weight shows at the client.
   */
  firstTimeShareBelow(version: string, below: number, { from = -Infinity, forMs = 1000 } = {}): number | undefined {
    const sorted = this.within({ from });
    let hits = 0;
    let start = 0;
    for (const [index, record] of sorted.entries()) {
      hits += record.version === version ? 1 : 0;
      while (record.sentAt - (sorted[start]?.sentAt ?? record.sentAt) >= forMs) {
        const share = hits / (index - start + 1);
        if (share < below) return sorted[start]?.sentAt;
        hits -= sorted[start]?.version === version ? 1 : 0;
        start += 1;
      }
    }
    return undefined;
  }
}

/** The record whose answer came first, or last with `direction` -1. */
function earliest(records: readonly RequestRecord[], direction = 1): RequestRecord | undefined {
  return records.toSorted((a, b) => direction * (a.doneAt - b.doneAt))[0];
}

/** Reads a log, also one that is still being written. */
export function readLoad(log: string): LoadResult {
  const requests: RequestRecord[] = [];
  const seconds: SecondLine[] = [];
  let totals: Totals | undefined;
  const text = readFileSync(log, 'utf8');
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const parsed: RequestLine | SecondLine | SummaryLine = JSON.parse(line);
    if (Array.isArray(parsed)) requests.push(fromLine(parsed));
    else if ('second' in parsed) seconds.push(parsed);
    else totals = parsed.summary;
  }
  requests.sort((a, b) => a.sentAt - b.sentAt);
  return new LoadResult(log, requests, seconds, totals ?? totalsOf(requests, 0));
}

export interface Load {
  readonly log: string;
  /** What was answered until now; requests that are under way are not in it. */
  snapshot(): LoadResult;
  /** Ends the sending, waits for the answers (at most 10 s) and gives everything. May be called twice. */
  stop(): Promise<LoadResult>;
}

/** Starts the generator. It ends with `stop()`; when the test process dies before, the generator goes with its pipe. */
export function startLoad(options: LoadOptions): Load {
  const log = options.out ?? join(mkdtempSync(join(tmpdir(), 'serin-load-')), 'load.jsonl');
  const main = join(import.meta.dirname, 'load', 'main.ts');
  const args = ['--url', options.url, '--out', log, '--end-with-input'];
  args.push('--rate', String(options.ratePerSecond ?? 100), '--seed', String(options.seed ?? 1));
  if (options.host !== undefined) args.push('--host-header', options.host);
  const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', reject);
  });
  return {
    log,
    snapshot: () => readLoad(log),
    stop: async () => {
      child.kill('SIGTERM');
      const code = await ended;
      if (code !== 0) throw new Error(`the load generator ended with ${code}; its log is ${log}`);
      return readLoad(log);
    },
  };
}
