// Against a real HTTP server: whatever it sends, the outcome is samples or a sentence.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { systemClock } from '../kube/clock.ts';
import { type PrometheusAddress, type PrometheusOptions, instantNumber, rawSamples } from './prometheus.ts';
import { Secret } from './secret.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let handler: Handler;
let asked: { url: string; method: string; body: URLSearchParams; headers: IncomingMessage['headers'] }[];
const agent = new Agent();

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      asked.push({
        url: request.url ?? '',
        method: request.method ?? '',
        body: new URLSearchParams(body),
        headers: request.headers,
      });
      handler(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => (asked = []));
afterAll(async () => {
  await agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function ask(
  given: Handler,
  options: Partial<PrometheusOptions> & { timeoutMs?: number; at?: string; signal?: AbortSignal } = {},
) {
  handler = given;
  const { timeoutMs = 2_000, at = address(), signal = new AbortController().signal, ...rest } = options;
  return rawSamples(
    { name: 'main', address: at, timeoutMs },
    'x{a="b"}',
    15_000,
    { clock: systemClock, dispatcher: agent, ...rest },
    signal,
  );
}

const says =
  (status: number, text: string, headers: Record<string, string> = { 'content-type': 'application/json' }): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(text);
const trickle: Handler = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
};

const matrix = (result: unknown) =>
  says(200, JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }));

describe('a source that answers', () => {
  test('is asked by POST for raw samples of the range, below its path', async () => {
    await ask(matrix([]), { at: `${address()}/prometheus/` });
    expect(asked[0]).toMatchObject({ url: '/prometheus/api/v1/query', method: 'POST' });
    expect(Object.fromEntries(asked[0]?.body ?? [])).toEqual({
      query: 'x{a="b"}[15000ms]',
      timeout: '2000ms',
      limit: '20001',
    });
  });

  test('gives samples in order, once for each time, without values that are not counts', async () => {
    const values = [
      [10.5, '4'],
      [5.25, '2'],
      [10.5, '4'],
      [12, 'NaN'],
      [13, '+Inf'],
      [14, '-1'],
      [15, '1e3'],
      [16, ''],
      'x',
    ];
    const fetched = await ask(matrix([{ metric: { pod: 'a' }, values }]));
    expect(fetched).toMatchObject({
      kind: 'ok',
      value: {
        series: [
          {
            labels: { pod: 'a' },
            samples: [
              { atMs: 5250, value: 2 },
              { atMs: 10_500, value: 4 },
              { atMs: 15_000, value: 1000 },
            ],
          },
        ],
      },
    });
  });

  test('counts a series once, though two replicas of Prometheus report it', async () => {
    const one = { metric: { pod: 'a', prometheus_replica: 'p-0' }, values: [[5, '1']] };
    const other = {
      metric: { pod: 'a', prometheus_replica: 'p-1' },
      values: [
        [5, '1'],
        [10, '2'],
      ],
    };
    const fetched = await ask(matrix([one, other]));
    expect(fetched.kind === 'ok' && fetched.value.series.map(({ samples }) => samples.length)).toEqual([2]);
  });

  test('gives native histograms as they are, beside the counts', async () => {
    // As Prometheus writes them: the first number of a bucket says which of its ends belong to it.
    const buckets = [
      [3, '-0.001', '0.001', '12'],
      [0, '1.6817928305074288', '2', '1'],
      [0, '2', '2.378414230005442', '2'],
    ];
    const histograms = [
      [10, { count: '15', sum: '20', buckets }],
      [5, { count: '0', sum: '0' }],
      [12, { count: 'NaN', sum: '0', buckets: [] }],
      [13, { count: '1', sum: '0', buckets: [[0, '1', 'x', '1']] }],
      [14, 'x'],
    ];
    const fetched = await ask(matrix([{ metric: { pod: 'a' }, histograms }]));
    expect(fetched).toMatchObject({
      kind: 'ok',
      value: {
        notCounts: 3,
        series: [
          {
            labels: { pod: 'a' },
            samples: [],
            histograms: [
              { atMs: 5_000, count: 0, buckets: [] },
              {
                atMs: 10_000,
                count: 15,
                buckets: [
                  { lower: -0.001, upper: 0.001, count: 12 },
                  { lower: 1.6817928305074288, upper: 2, count: 1 },
                  { lower: 2, upper: 2.378414230005442, count: 2 },
                ],
              },
            ],
          },
        ],
      },
    });
  });

  test('tells its own time', async () => {
    const fetched = await ask(matrix([]));
    expect(fetched.kind === 'ok' && Math.abs((fetched.value.serverTimeMs ?? 0) - Date.now()) < 5_000).toBe(true);
  });
});

describe('a source that does not answer is down, and a sentence says why and whose move it is', () => {
  test.each<[string, Handler, string]>([
    [
      'a login page',
      says(200, '<html><body>Sign in</body></html>', { 'content-type': 'text/html' }),
      'with a web page where the Prometheus API was expected',
    ],
    ['text', says(200, 'ok'), 'without JSON'],
    ['JSON of something else', says(200, '{"hello":1}'), 'is not a Prometheus result'],
    [
      'a vector',
      says(200, '{"status":"success","data":{"resultType":"vector","result":[]}}'),
      'not a Prometheus result of raw samples',
    ],
    ['samples in another form', matrix([{ metric: 5 }]), 'samples in an unknown form'],
    ['401', says(401, ''), 'refuses Serin (401)'],
    [
      '403 with a reason',
      says(403, '{"status":"error","error":"tenant unknown"}'),
      'refuses Serin (403): tenant unknown',
    ],
    ['404', says(404, 'not found'), 'no Prometheus API at this address (404)'],
    [
      '422',
      says(422, '{"status":"error","error":"query processing would load too many samples"}'),
      'status 422: query processing would load too many samples',
    ],
    ['429', says(429, ''), 'asked too often (429)'],
    ['500 with a page', says(500, '<h1>oops</h1>'), 'status 500 and a web page'],
    ['503', says(503, '{"status":"error","error":"TSDB not ready"}'), 'not available (503): TSDB not ready'],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'https://login.example' }).end(),
      'redirects (302) to https://login.example; redirects are not followed',
    ],
    ['a closed connection', (_, response) => response.destroy(), 'broke off before its answer was whole'],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"status":');
        setTimeout(() => response.destroy(), 20);
      },
      'broke off before its answer was whole',
    ],
  ])('%s', async (_, given, sentence) => {
    const fetched = await ask(given);
    expect(fetched).toEqual({ kind: 'down', sentence: expect.stringContaining(sentence) });
    expect(fetched).toMatchObject({ sentence: expect.stringContaining('MetricSource main (http://127.0.0.1:') });
    expect(asked).toHaveLength(1);
  });

  test('an answer that takes too long', async () => {
    expect(await ask(() => undefined, { timeoutMs: 50 })).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('did not answer within 0.05 s'),
    });
  });

  test('an answer that trickles for too long', async () => {
    expect(await ask(trickle, { timeoutMs: 100 })).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('did not answer within'),
    });
  });

  test('an answer without end is read no further than the limit', async () => {
    let sent = 0;
    const endless: Handler = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const part = Buffer.alloc(64 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && sent < 50 * 1024 * 1024) {
          sent += part.length;
          if (!response.write(part)) break;
        }
      };
      response.on('drain', more);
      more();
    };
    expect(await ask(endless, { largestBytes: 1024 * 1024 })).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('more than 1 MiB'),
    });
    expect(sent).toBeLessThan(20 * 1024 * 1024);
  });

  test('more series than one release can have', async () => {
    const many = Array.from({ length: 20_001 }, (_, index) => ({ metric: { a: String(index) }, values: [] }));
    expect(await ask(matrix(many))).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('more than 20000 series'),
    });
  });

  test('more buckets than one release can have', async () => {
    const buckets = Array.from({ length: 1_000 }, () => [0, '1', '2', '1']);
    const histograms = Array.from({ length: 500 }, (_, at) => [at, { count: '1', sum: '1', buckets }]);
    expect(await ask(matrix([{ metric: {}, histograms }]))).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('more than 500000 samples'),
    });
  });

  test('nobody at that address', async () => {
    expect(await ask(matrix([]), { at: 'http://127.0.0.1:1' })).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('cannot be reached'),
    });
  });

  test('an operator that stops', async () => {
    const stopping = AbortSignal.abort();
    expect(await ask(matrix([]), { signal: stopping })).toMatchObject({ kind: 'down' });
  });
});

describe('one number', () => {
  const look = (given: Handler, query = 'max(age)', more: Partial<PrometheusAddress> = {}) => {
    handler = given;
    const source = { name: 'main', address: address(), timeoutMs: 2_000, ...more };
    return instantNumber(
      source,
      'shop',
      query,
      { clock: systemClock, dispatcher: agent },
      new AbortController().signal,
    );
  };
  const data = (resultType: string, result: unknown) =>
    says(200, JSON.stringify({ status: 'success', data: { resultType, result } }));
  const one = (value: unknown) => data('vector', [{ metric: { a: 'b' }, value: [1, value] }]);

  test.each<[string, Handler, object]>([
    ['a vector of one series', one('12.5'), { kind: 'number', value: 12.5 }],
    ['a scalar', data('scalar', [1, '-3']), { kind: 'number', value: -3 }],
    ['no series', data('vector', []), { kind: 'none', why: 'no series' }],
    ['NaN', one('NaN'), { kind: 'none', why: 'NaN, which is no number' }],
    ['infinity', one('+Inf'), { kind: 'none', why: '+Inf, which is no number' }],
    ['an empty value', one(''), { kind: 'none', why: ', which is no number' }],
    ['a number that is none', one(5), { kind: 'none', why: 'no number' }],
    [
      'a histogram',
      data('vector', [{ metric: {}, histogram: [1, {}] }]),
      { kind: 'none', why: 'a histogram where a number is needed' },
    ],
    [
      'several series',
      data('vector', [
        { metric: {}, value: [1, '1'] },
        { metric: {}, value: [1, '2'] },
      ]),
      { kind: 'none', why: expect.stringContaining('several series') },
    ],
    ['raw samples', data('matrix', []), { kind: 'none', why: expect.stringContaining('another type') }],
    ['a text', data('string', [1, 'x']), { kind: 'none', why: expect.stringContaining('another type') }],
  ])('of %s', async (_, given, wanted) => expect(await look(given)).toEqual({ kind: 'ok', value: wanted }));

  test.each<[string, Handler, string]>([
    ['a refused query', says(400, '{"status":"error","error":"parse error"}'), 'status 400: parse error'],
    ['another API', says(200, '{"a":1}'), 'not a Prometheus result'],
    ['a login page', says(200, '<html>', { 'content-type': 'text/html' }), 'with a web page'],
  ])('an outage: %s', async (_, given, words) =>
    expect(await look(given)).toMatchObject({ kind: 'down', sentence: expect.stringContaining(words) }),
  );

  test('is asked for as it was written, and confined where the source says so', async () => {
    await look(one('1'), 'max(age) # why');
    expect(Object.fromEntries(asked[0]?.body ?? [])).toEqual({
      query: 'max(age) # why',
      limit: '2',
      timeout: '2000ms',
    });
    await look(one('1'), 'max(age) # why', { confine: { namespaceLabel: 'ns' } });
    expect(asked[1]?.body.get('query')).toBe('max(age{ns="shop"})  ');
  });

  test('of others is never asked for', async () => {
    const refused = await look(one('1'), 'max(age{ns="cart"})', { confine: { namespaceLabel: 'ns' } });
    expect(refused).toEqual({
      kind: 'down',
      sentence: expect.stringContaining('Serin does not ask MetricSource main (http://127.0.0.1'),
    });
    expect(asked).toHaveLength(0);
  });
});

describe('a source that lets in only whom it knows', () => {
  const access = { authorization: new Secret('Bearer hunter2'), headers: [{ name: 'X-Scope-OrgID', value: 'shop' }] };
  const askAs = (given: Handler, dispatcher = agent) => {
    handler = given;
    const source = { name: 'main', address: address(), timeoutMs: 2_000, access };
    return rawSamples(source, 'x', 1_000, { clock: systemClock, dispatcher }, new AbortController().signal);
  };

  test('is sent the credential and the headers with each query', async () => {
    await askAs(matrix([]));
    expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer hunter2', 'x-scope-orgid': 'shop' });
  });

  test('gives it to nobody by a redirect, and no sentence has it', async () => {
    const said = await askAs((_, response) => response.writeHead(302, { location: `${address()}/elsewhere` }).end());
    expect(asked).toHaveLength(1);
    expect(JSON.stringify(said)).not.toContain('hunter2');
    const echoed = await askAs(says(401, '{"status":"error","error":"bad Authorization: Bearer hunter2"}'));
    expect(JSON.stringify(echoed)).not.toContain('hunter2');
  });
});
