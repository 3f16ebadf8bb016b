/** The form of the load generator's log: what `main.ts` writes and `load.ts` reads. */

/** What became of a request: the status of its answer, or why there was none. */
export type Outcome = number | 'timeout' | 'error';

/** One request. Times are milliseconds since the epoch. */
export interface RequestRecord {
  sentAt: number;
  doneAt: number;
  /** Header `x-version` of the answer; empty when the answer (or its lack) is not from the application. */
  version: string;
  outcome: Outcome;
  /** True when the request opened its own connection. */
  fresh: boolean;
}

/** A line of the log for one request: an array, to keep it short. */
export type RequestLine = [sentAt: number, doneAt: number, version: string, outcome: Outcome, fresh: 0 | 1];

/** A line for each second: how often each version gave each outcome, keyed "version outcome". */
export interface SecondLine {
  second: number;
  sent: number;
  outcomes: Record<string, number>;
}

/** The last line; without it the generator did not end properly. */
export interface SummaryLine {
  summary: Totals;
}

export interface Totals {
  sent: number;
  answered: number;
  lost: number;
  gatewayErrors: number;
  timeouts: number;
  connectionErrors: number;
  /** Sends that happened more than 50 ms after their time in the schedule: the machine was too busy to trust the figures. */
  late: number;
}

export function toLine(record: RequestRecord): RequestLine {
  return [record.sentAt, record.doneAt, record.version, record.outcome, record.fresh ? 1 : 0];
}

export function fromLine([sentAt, doneAt, version, outcome, fresh]: RequestLine): RequestRecord {
  return { sentAt, doneAt, version, outcome, fresh: fresh === 1 };
}

/** An answer that the gateway gave instead of the application. */
export function isGatewayError({ version, outcome }: RequestRecord): boolean {
  return version === '' && (outcome === 502 || outcome === 503 || outcome === 504);
}

/** An answer of the application that says that it failed. */
export function isBadAnswer({ version, outcome }: RequestRecord): boolean {
  return version !== '' && typeof outcome === 'number' && outcome >= 500;
}

function wasAnswered({ outcome }: RequestRecord): boolean {
  return typeof outcome === 'number';
}

export function totalsOf(records: readonly RequestRecord[], late: number): Totals {
  const count = (matches: (record: RequestRecord) => boolean): number => records.filter(matches).length;
  const answered = count(wasAnswered);
  return {
    sent: records.length,
    answered,
    lost: records.length - answered,
    gatewayErrors: count(isGatewayError),
    timeouts: count(({ outcome }) => outcome === 'timeout'),
    connectionErrors: count(({ outcome }) => outcome === 'error'),
    late,
  };
}
