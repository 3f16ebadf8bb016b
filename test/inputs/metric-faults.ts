/**
 * Everything that a metric source is made to do to the collector, and the sentence that people read then. The tests hold the
 * sentences against a real server; `docs/faults.md` shows the same rows. `…` stands for what differs from run to run.
 */
import { gzipSync } from 'node:zlib';
import type { Sample, Series } from '../../src/signals/series.ts';
import { type Behaviour, matrixOf, scrapeMs } from './metric-stage.ts';

export interface MetricFault {
  /** What the source does, for the table. */
  readonly input: string;
  readonly behave: Behaviour;
  readonly sentence: string;
  /** Once it has answered well before, where that is another sentence. */
  readonly later?: string;
}

/** What a source does that tells the judge nothing; and what a source does that is still evidence, counted exactly. */
export interface MetricOddity {
  readonly input: string;
  readonly behave: Behaviour;
  readonly answer: string;
}

const who = 'MetricSource main (http://prometheus.monitoring:9090)';
const noApi = 'where the Prometheus API was expected: is the address right, or does a login stand before it?';
const asks = 'it asks for credentials or rights that the MetricSource does not have.';
const tooLate = `${who} did not answer within 5 s: it is overloaded, or something on the way drops what is sent.`;
const tooLarge = `${who} sends more than 16 MiB for one query, and no more is read: drop labels of these counters that no release needs.`;
const stale = 'MetricSource main answers, but its newest samples of this release are … s old:';
const unscraped = `${stale} are its pods or the gateway still scraped?`;
const noCounts = '… of its samples are no counts (not a number, infinite or negative): see what is exposed.';
const future =
  '… of its samples are dated in the future, by up to 36… s: compare the clocks of the metric source and of this operator.';

const says =
  (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) =>
    void response.writeHead(status, headers).end(text);

const refuses = (status: number, error: string, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  says(status, JSON.stringify({ status: 'error', errorType: 'x', error }), headers);

const page = '<!doctype html><html><body><form action="/login">Sign in</form></body></html>';

/** A well answer, one series after the other changed. */
const changed =
  (change: (series: Series, nowMs: number) => Series | readonly Series[]): Behaviour =>
  ({ response, series, nowMs }) =>
    void response.end(matrixOf(series.flatMap((one) => change(one, nowMs))));

const samples = (change: (all: readonly Sample[], nowMs: number) => readonly Sample[]): Behaviour =>
  changed(({ labels, samples: all }, nowMs) => ({ labels, samples: change(all, nowMs) }));

/** Every other scrape: what one of two replicas sees. */
function replicaOf({ labels, samples: all }: Series, replica: number): Series {
  return { labels, samples: all.filter(({ atMs }) => Math.floor(atMs / scrapeMs) % 2 === replica) };
}

/** Sends `mebibytes` as fast as they are taken. */
const floods =
  (mebibytes: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(200, headers);
    const part = Buffer.alloc(64 * 1024, ' ');
    let left = mebibytes * 16;
    const more = () => {
      while (left > 0 && !response.destroyed) {
        left -= 1;
        if (!response.write(part)) return;
      }
      if (left === 0) response.end();
    };
    response.on('drain', more).on('error', () => undefined);
    more();
  };

const trickles =
  (status: number): Behaviour =>
  ({ response, every }) => {
    response.writeHead(status).write('{');
    every(1_000, () => void response.write(Buffer.from(' ')));
    return 'hangs';
  };

export const metricFaults: readonly MetricFault[] = [
  {
    input: 'a login page instead of an answer (200, HTML)',
    behave: says(200, page, { 'content-type': 'text/html' }),
    sentence: `${who} answered with a web page ${noApi}`,
  },
  { input: 'text instead of JSON', behave: says(200, 'ok'), sentence: `${who} answered without JSON ${noApi}` },
  { input: 'an empty body', behave: says(200, ''), sentence: `${who} answered without JSON ${noApi}` },
  {
    input: 'JSON of something else',
    behave: says(200, '{"version":"8.0","login":true}'),
    sentence: `${who} answered JSON that is not a Prometheus result of raw samples: is the address right?`,
  },
  {
    input: 'a vector instead of raw samples',
    behave: says(200, '{"status":"success","data":{"resultType":"vector","result":[]}}'),
    sentence: `${who} answered JSON that is not a Prometheus result of raw samples: is the address right?`,
  },
  {
    input: '`status: error` with 200',
    behave: refuses(200, 'query timed out in expression evaluation'),
    sentence: `${who} refused the query: query timed out in expression evaluation.`,
  },
  {
    input: '400, 422 or 500 with an error',
    behave: refuses(422, 'query processing would load too many samples into memory'),
    sentence: `${who} answered with status 422: query processing would load too many samples into memory.`,
  },
  { input: '401 without a body', behave: says(401, ''), sentence: `${who} refuses Serin (401): ${asks}` },
  {
    input: '401 with a body that echoes a credential',
    behave: refuses(401, 'invalid credentials: Authorization: Bearer abc.def.ghi'),
    sentence: `${who} refuses Serin (401): invalid credentials: Authorization: ***: ${asks}`,
  },
  {
    input: '403',
    behave: refuses(403, 'tenant shop may not read'),
    sentence: `${who} refuses Serin (403): tenant shop may not read: ${asks}`,
  },
  {
    input: '404',
    behave: says(404, '404 page not found'),
    sentence: `${who} has no Prometheus API at this address (404): check the address and its path.`,
  },
  {
    input: '429 with `Retry-After: 30`: not asked again for 30 s',
    behave: says(429, '', { 'retry-after': '30' }),
    sentence: `${who} is asked too often (429): its rate limit is below one query a second for each release.`,
  },
  {
    input: '503',
    behave: refuses(503, 'TSDB not ready'),
    sentence: `${who} is not available (503): TSDB not ready.`,
  },
  {
    input: '503 with a page that never ends',
    behave: trickles(503),
    sentence: `${who} is not available (503).`,
  },
  {
    input: 'a redirect to a login, never followed',
    behave: says(302, '', { location: 'https://bob:pw@login.example/auth?token=abc' }),
    sentence: `${who} redirects (302) to https://***@login.example/auth; redirects are not followed: set the MetricSource to the final address.`,
  },
  {
    input: '50 MB, announced: not read at all',
    behave: floods(50, { 'content-length': String(50 * 1024 * 1024) }),
    sentence: tooLarge,
  },
  { input: '50 MB, not announced: read up to 16 MiB', behave: floods(50), sentence: tooLarge },
  {
    input: 'a compressed answer that was not asked for: not unpacked',
    behave: ({ response }) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(4 * 1024 * 1024, ' '))),
    sentence: `${who} answers compressed (gzip), which was not asked for: see the proxy before it.`,
  },
  {
    input: 'more than 20 000 series',
    behave: ({ response }) =>
      void response.end(
        matrixOf(Array.from({ length: 20_001 }, (_, at) => ({ labels: { at: String(at) }, samples: [] }))),
      ),
    sentence: `${who} has more than 20000 series for one query: drop labels of these counters that no release needs.`,
  },
  { input: 'one byte a second', behave: trickles(200), sentence: tooLate },
  {
    input: 'an answer after 25 s',
    behave: ({ response, series, every }) => {
      every(25_000, () => response.end(matrixOf(series)));
      return 'hangs';
    },
    sentence: tooLate,
  },
  { input: 'no answer at all', behave: () => 'hangs', sentence: tooLate },
  {
    input: 'an answer that breaks off (a proxy that restarts)',
    behave: ({ response }) => {
      response.writeHead(200, { 'content-length': '5000' }).write('{"status":"success","data":{"resu');
      setImmediate(() => response.destroy());
    },
    sentence: `${who} broke off before its answer was whole (…); see its logs, or those of the proxy before it.`,
  },
  {
    input: 'a connection that is closed without an answer',
    behave: ({ response }) => void response.destroy(),
    sentence: `${who} broke off before its answer was whole (…); see its logs, or those of the proxy before it.`,
  },
  {
    input: 'no series: wrong labels, or pods that are not scraped',
    behave: changed(() => []),
    sentence:
      'MetricSource main answers, but has no series for http_requests_total{namespace="shop",pod=~"new-0"}: are these counters exposed and scraped, with these labels?',
    later: unscraped,
  },
  {
    input: 'values that are all `NaN`',
    behave: samples((all) => all.map((sample) => ({ ...sample, value: Number.NaN }))),
    sentence: `MetricSource main answers, but nothing that counts: ${noCounts}`,
    later: `${stale} ${noCounts}`,
  },
  {
    input: 'values that are all `+Inf` or `-Inf`',
    behave: samples((all) =>
      all.map((sample, at) => ({
        ...sample,
        value: at % 2 === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
      })),
    ),
    sentence: `MetricSource main answers, but nothing that counts: ${noCounts}`,
    later: `${stale} ${noCounts}`,
  },
  {
    input: 'samples that are all dated an hour in the future',
    behave: samples((all) => all.map(({ atMs, value }) => ({ atMs: atMs + 3_600_000, value }))),
    sentence: `MetricSource main answers, but nothing that counts: ${future}`,
    later: `${stale} ${future}`,
  },
  {
    input: 'time stamps that go back an hour',
    behave: samples((all) => all.map(({ atMs, value }) => ({ atMs: atMs - 3_600_000, value }))),
    sentence:
      'MetricSource main answers, but has no samples of the new version for http_requests_total{namespace="shop",pod=~"new-0"}: are these counters exposed and scraped, with these labels?',
    later: unscraped,
  },
];

/** Answers with odd parts: what can be counted is counted, each request once. */
export const metricOddities: readonly MetricOddity[] = [
  {
    input: 'some values `NaN`, `±Inf` or negative',
    behave: samples((all, nowMs) => [
      ...all,
      { atMs: nowMs - 1, value: Number.NaN },
      { atMs: nowMs - 2, value: Number.POSITIVE_INFINITY },
      { atMs: nowMs - 3, value: -4 },
    ]),
    answer: 'the samples around them are counted',
  },
  {
    input: 'a value larger than anything that can be counted',
    behave: samples((all, nowMs) => [...all, { atMs: nowMs - 1, value: 1e300 }]),
    answer: 'left out; the samples around it are counted',
  },
  {
    input: 'some samples dated in the future',
    behave: samples((all, nowMs) => [...all, { atMs: nowMs + 3_600_000, value: 1e9 }]),
    answer: 'left out; the samples around them are counted',
  },
  {
    input: 'samples twice, and in the wrong order',
    behave: samples((all) => [...all, ...all].toReversed()),
    answer: 'each time stamp counts once',
  },
  {
    input: 'the same series twice, as two replicas of Prometheus report them',
    behave: changed(({ labels, samples: all }) =>
      ['prometheus-0', 'prometheus-1'].map((replica) => ({
        labels: { ...labels, prometheus_replica: replica },
        samples: all,
      })),
    ),
    answer: 'one of them is read',
  },
  {
    input: 'the same pods, scraped by two jobs',
    behave: changed(({ labels, samples: all }) =>
      ['pods', 'services'].map((job) => ({ labels: { ...labels, job }, samples: all })),
    ),
    answer: 'one of them is read',
  },
  {
    input: 'the same pods, scraped at two ports',
    behave: changed(({ labels, samples: all }) =>
      ['8080', '9090'].map((port) => ({ labels: { ...labels, instance: `${labels['pod']}:${port}` }, samples: all })),
    ),
    answer: 'one of them is read',
  },
  {
    input: 'answers of two replicas in turn, each with scrapes of its own',
    behave: ({ response, series, turn }) => void response.end(matrixOf(series.map((one) => replicaOf(one, turn % 2)))),
    answer: 'one of them is counted on',
  },
  {
    input: 'series of other pods that were not asked for',
    behave: changed(({ labels, samples: all }) => [
      { labels, samples: all },
      { labels: { ...labels, pod: 'cart-1', instance: 'cart-1:8080' }, samples: all },
    ]),
    answer: 'left out: whose a pod is, Kubernetes says',
  },
];

/** Sources from which no answer can come at all. */
export interface Unreachable {
  readonly input: string;
  readonly place: 'nobody' | 'nowhere' | 'selfSigned' | 'noTls' | 'noHttp';
  readonly sentence: string;
}

export const unreachable: readonly Unreachable[] = [
  {
    input: 'nobody listens',
    place: 'nobody',
    sentence: `${who} cannot be reached: it refuses connections; nothing listens at this address, or it is starting.`,
  },
  {
    input: 'a name that does not exist',
    place: 'nowhere',
    sentence: `${who} cannot be reached: its name is not known (getaddrinfo ENOTFOUND …); correct the address.`,
  },
  {
    input: 'a certificate that nobody signed',
    place: 'selfSigned',
    sentence: `${who} has a certificate that Serin does not trust (self-signed certificate…); set caBundle of the MetricSource to its authority, or NODE_EXTRA_CA_CERTS of the operator.`,
  },
  {
    input: '`https://` where plain HTTP is spoken',
    place: 'noTls',
    sentence: `${who} cannot be reached: it does not speak TLS at this address; an address without TLS begins with http://.`,
  },
  {
    input: 'something that is no HTTP server',
    place: 'noHttp',
    sentence: `${who} cannot be reached: what answers at this address does not speak HTTP; check scheme and port.`,
  },
];
