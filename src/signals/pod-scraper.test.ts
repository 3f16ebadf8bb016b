// Against real HTTP servers that stand for pods, well and hostile: what they send is counted, or a sentence says why not.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { ManualClock } from '../kube/manual-clock.ts';
import { systemClock } from '../kube/clock.ts';
import { Allowance } from './body-bytes.ts';
import { PodReads } from './pod-reads.ts';
import { PodScraper, type ScrapeTarget, scrapeJob } from './pod-scraper.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const agent = new Agent();
const selector = '{__name__=~"http_requests_total|up",namespace="shop",pod=~"new-1|old-1"}';
const never = new AbortController().signal;

afterAll(async () => {
  await agent.destroy();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function pod(name: string, handler: Handler | (() => string)): Promise<ScrapeTarget> {
  const server = createServer((request, response) => {
    if (handler.length > 0) handler(request, response);
    else response.end((handler as () => string)());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const arm = name.startsWith('new') ? 'canary' : 'stable';
  return { pod: name, namespace: 'shop', arm, address: `http://127.0.0.1:${port}/metrics` };
}

function scraper(clock = new ManualClock(), largestBytes?: number, room = new Allowance(64 * 1024 * 1024)) {
  const reads = new PodReads({
    clock: largestBytes === undefined ? clock : systemClock,
    dispatcher: agent,
    allowance: new Allowance(64 * 1024 * 1024),
    room,
    ...(largestBytes === undefined ? {} : { largestBytes }),
  });
  const scrapes = new PodScraper({ clock, reads });
  return {
    clock,
    scrapes,
    ask: (targets: readonly ScrapeTarget[], asked = selector, rangeMs = 60_000) =>
      scrapes.read(targets, 2_000, asked, rangeMs, never),
  };
}

const counting = (count: () => number) => () =>
  `# TYPE http_requests_total counter\nhttp_requests_total{code="200"} ${count()}\nother_total 5\n`;

describe('pods that are scraped', () => {
  test('answer as a Prometheus would: raw samples, each with the labels of its target, and whether it was up', async () => {
    let count = 10;
    const one = await pod(
      'new-1',
      counting(() => count),
    );
    const { clock, ask } = scraper();
    const firstMs = clock.nowMs();
    await ask([one]);
    await clock.advance(2_000);
    count = 25;
    const answer = await ask([one]);
    const own = { job: scrapeJob, instance: new URL(one.address).host, namespace: 'shop', pod: 'new-1' };
    expect(answer).toEqual({
      kind: 'ok',
      value: {
        series: [
          {
            labels: { ...own, __name__: 'up' },
            samples: [
              { atMs: firstMs, value: 1 },
              { atMs: firstMs + 2_000, value: 1 },
            ],
          },
          {
            labels: { ...own, __name__: 'http_requests_total', code: '200' },
            samples: [
              { atMs: firstMs, value: 10 },
              { atMs: firstMs + 2_000, value: 25 },
            ],
          },
        ],
        notCounts: 0,
        serverTimeMs: undefined,
      },
    });
  });

  test('are asked once an interval, however often the question comes, and no pod of another arm or name counts', async () => {
    let asked = 0;
    const one = await pod(
      'new-1',
      counting(() => (asked += 1)),
    );
    const other = await pod(
      'cart-1',
      counting(() => 7),
    );
    const { clock, scrapes, ask } = scraper();
    expect(scrapes.nextRoundMs).toBe(0);
    await ask([one, other]);
    expect(scrapes.nextRoundMs).toBe(clock.nowMs() + 2_000);
    await clock.advance(1_000);
    await ask([one, other]);
    expect(asked).toBe(1);
    await clock.advance(1_000);
    const answer = await ask([one, other]);
    expect(asked).toBe(2);
    expect(answer.kind === 'ok' && answer.value.series.every(({ labels }) => labels['pod'] === 'new-1')).toBe(true);
  });

  test('cannot say that they are somebody else', async () => {
    const liar = await pod(
      'new-1',
      () =>
        'http_requests_total{code="200",pod="old-1",namespace="cart",job="x"} 5\nup 0\nhttp_requests_total{code="200",pod="old-1",namespace="cart",job="x"} 9\n',
    );
    const { ask } = scraper();
    const answer = await ask([liar]);
    const series = answer.kind === 'ok' ? answer.value.series : [];
    expect(series.filter(({ labels }) => labels['__name__'] === 'http_requests_total')).toEqual([
      expect.objectContaining({
        labels: expect.objectContaining({
          pod: 'new-1',
          exported_pod: 'old-1',
          namespace: 'shop',
          exported_namespace: 'cart',
        }),
        samples: [expect.objectContaining({ value: 5 })],
      }),
    ]);
  });

  test('are counted whole, also where they have labels as a Prometheus has, or say that they are up', async () => {
    const one = await pod('new-1', () =>
      ['up 0', 'http_requests_total{replica="a"} 1', 'http_requests_total{replica="b"} 2'].join('\n'),
    );
    const answer = await scraper().ask([one]);
    const series = answer.kind === 'ok' ? answer.value.series : [];
    expect(series.map(({ labels, samples }) => [labels['__name__'], samples[0]?.value])).toEqual([
      ['up', 1],
      ['http_requests_total', 1],
      ['http_requests_total', 2],
    ]);
  });

  test('are remembered for a minute, and forgotten when they are gone', async () => {
    const one = await pod(
      'new-1',
      counting(() => 1),
    );
    const { clock, ask } = scraper();
    for (let round = 0; round < 60; round += 1) {
      await ask([one]);
      await clock.advance(2_000);
    }
    const answer = await ask([one], selector, 600_000);
    expect(answer.kind === 'ok' && answer.value.series[0]?.samples.length).toBeLessThanOrEqual(31);
    const other = await pod(
      'old-1',
      counting(() => 1),
    );
    for (let round = 0; round < 40; round += 1) {
      await clock.advance(2_000);
      await ask([other]);
    }
    const later = await ask([other], selector, 600_000);
    expect(later.kind === 'ok' && new Set(later.value.series.map(({ labels }) => labels['pod']))).toEqual(
      new Set(['old-1']),
    );
  });

  test('of the old version are a sample, the same at every round, and of the new version all', async () => {
    const asked = new Set<string>();
    const at = await pod('any', (request, response) => {
      asked.add(new URL(request.url ?? '', 'http://x').searchParams.get('pod') ?? '');
      response.end('http_requests_total 1\n');
    });
    const fleet = (arm: 'canary' | 'stable', length: number) =>
      Array.from({ length }, (_, index) => ({
        pod: `${arm}-${index}`,
        namespace: 'shop',
        arm,
        address: `${at.address}?pod=${arm}-${index}`,
      }));
    const { clock, ask } = scraper();
    const targets = [...fleet('canary', 30), ...fleet('stable', 60)];
    await ask(targets, 'http_requests_total');
    const first = [...asked].toSorted();
    expect(first.filter((name) => name.startsWith('canary'))).toHaveLength(30);
    expect(first.filter((name) => name.startsWith('stable'))).toHaveLength(20);
    await clock.advance(2_000);
    await ask(targets.toReversed(), 'http_requests_total');
    expect([...asked].toSorted()).toEqual(first);
  });

  test('that were given the address of another pod begin anew', async () => {
    const one = await pod(
      'new-1',
      counting(() => 100),
    );
    const { clock, ask } = scraper();
    await ask([one]);
    await clock.advance(2_000);
    const answer = await ask([{ ...one, pod: 'old-1', arm: 'stable' }]);
    const samples =
      answer.kind === 'ok' ? answer.value.series.map(({ labels, samples: all }) => [labels['pod'], all.length]) : [];
    expect(samples).toEqual([
      ['old-1', 1],
      ['old-1', 1],
    ]);
  });
});

describe('a question for other metrics', () => {
  test('is answered from the pods at once, not from what was kept of the last question', async () => {
    const one = await pod('new-1', () => 'http_request_duration_seconds_count{code="200"} 7\n');
    const { clock, ask } = scraper();
    await ask([one]);
    await clock.advance(1_000);
    const other = '{__name__=~"http_request_duration_seconds_count|up",namespace="shop",pod=~"new-1|old-1"}';
    const answer = await ask([one], other);
    const names = answer.kind === 'ok' ? answer.value.series.map(({ labels }) => labels['__name__']) : [];
    expect(names).toContain('http_request_duration_seconds_count');
  });
});

describe('pods that do not answer as they should', () => {
  const mebibyte = 1024 * 1024;
  const endless: Handler = (_, response) => {
    const part = Buffer.from('http_requests_total{code="200"} 1\n'.repeat(2_000));
    const more = () => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', more).on('error', () => undefined);
    more();
  };
  test.each<[string, Handler | (() => string), string]>([
    ['send without end', endless, 'sends more than 1 MiB of metrics, and no more is read.'],
    [
      'redirect',
      (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'redirects (302), which is not followed: see what it serves there.',
    ],
    [
      'answer 500',
      (_, response) => void response.writeHead(500).end('secret of the tenant'),
      'answers 500: see what it serves there.',
    ],
    [
      'answer compressed',
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      'answers compressed, which was not asked for',
    ],
    [
      'announce too much',
      (_, response) => void response.writeHead(200, { 'content-length': String(90 * mebibyte) }).write('a 1\n'),
      'sends more than 1 MiB',
    ],
    ['close the connection', (_, response) => void response.destroy(), 'broke off before its answer was whole'],
    [
      'break off',
      (_, response) =>
        void response.writeHead(200, { 'content-length': '500' }).write('a 1\n', () => response.destroy()),
      'broke off before its answer was whole',
    ],
    [
      'expose a million series',
      () => Array.from({ length: 20_000 }, (_, index) => `http_requests_total{x="${index}"} 1`).join('\n'),
      'has more than 5000 series of its requests',
    ],
  ])('%s', async (_, handler, words) => {
    const bad = await pod('new-1', handler);
    const { ask } = scraper(new ManualClock(), mebibyte);
    expect(await ask([bad])).toEqual({
      kind: 'down',
      sentence: expect.stringContaining(`Pod new-1 (${bad.address}) `),
    });
    const well = await pod(
      'old-1',
      counting(() => 3),
    );
    const both = await scraper(new ManualClock(), mebibyte).ask([bad, well]);
    const series = both.kind === 'ok' ? both.value.series : [];
    expect(series.map(({ labels, samples }) => [labels['pod'], labels['__name__'], samples[0]?.value])).toEqual([
      ['new-1', 'up', 0],
      ['old-1', 'up', 1],
      ['old-1', 'http_requests_total', 3],
    ]);
    const again = await ask([bad]);
    expect(again.kind === 'down' && again.sentence).toContain(words);
    expect(again.kind === 'down' && again.sentence).not.toContain('secret');
  });

  test.each<[string, Handler]>([
    [
      'one byte a second',
      (_, response) => {
        const timer = setInterval(() => response.write('#'), 100);
        response.on('close', () => clearInterval(timer));
      },
    ],
    ['nothing at all', (request) => void request.resume()],
  ])('send %s', async (_, handler) => {
    const bad = await pod('new-1', handler);
    const scrapes = new PodScraper({
      clock: systemClock,
      reads: new PodReads({ clock: systemClock, dispatcher: agent, allowance: new Allowance(mebibyte) }),
    });
    expect(await scrapes.read([bad], 2_000, selector, 60_000, never)).toEqual({
      kind: 'down',
      sentence: `Pod new-1 (${bad.address}) did not send its metrics within 2 s.`,
    });
  });

  test('are not there', async () => {
    const { ask } = scraper();
    const gone = { pod: 'new-1', namespace: 'shop', arm: 'canary' as const, address: 'http://127.0.0.1:1/metrics' };
    expect(await ask([gone])).toMatchObject({ sentence: expect.stringContaining('cannot be reached') });
    expect(await scraper().ask([])).toMatchObject({
      sentence: expect.stringContaining('No pod of this release says where'),
    });
  });

  test('expose what is no count: it is left out and said, the rest counts', async () => {
    const odd = await pod('new-1', () =>
      [
        '{code="200"} NaN',
        '{code="201"} +Inf',
        '{code="202"} -4',
        '{code="203"} 1e300',
        '{code="204"} 7',
        '{code="205"',
        ' x',
      ]
        .map((rest) => `http_requests_total${rest}`)
        .join('\n'),
    );
    const answer = await scraper().ask([odd]);
    expect(answer).toMatchObject({ kind: 'ok', value: { notCounts: 4 } });
    expect(answer.kind === 'ok' && answer.value.series.map(({ labels }) => labels['code'])).toEqual([undefined, '204']);
  });

  test('grow and grow: what is held of a release is bounded', async () => {
    let round = 0;
    const growing = await pod('new-1', () => {
      round += 1;
      return Array.from({ length: 4_000 }, (_, index) => `http_requests_total{x="${round}-${index}"} 1`).join('\n');
    });
    const { clock, ask } = scraper();
    for (let index = 0; index < 5; index += 1) {
      expect((await ask([growing])).kind).toBe('ok');
      await clock.advance(2_000);
    }
    expect(await ask([growing])).toMatchObject({
      kind: 'down',
      sentence: expect.stringContaining('more than 20000 series'),
    });
  });
});

describe('what is kept of pods', () => {
  const mebibyte = 1024 * 1024;
  /** A hundred series with new labels at every round, about a mebibyte of them. */
  const large = () => {
    let round = 0;
    return () => {
      round += 1;
      return Array.from(
        { length: 100 },
        (_, index) => `http_requests_total{x="${`${round}-${index}-`.padEnd(10_000, 'x')}"} 1`,
      ).join('\n');
    };
  };
  const rounds = async (one: ReturnType<typeof scraper>, target: ScrapeTarget, many: number) => {
    let last = await one.ask([target]);
    for (let round = 1; round < many; round += 1) {
      await one.clock.advance(2_000);
      last = await one.ask([target]);
    }
    return last;
  };

  test('is bounded by its size, over all releases', async () => {
    const room = new Allowance(8 * mebibyte);
    const target = await pod('new-1', large());
    const [one, other, third] = [0, 1, 2].map(() => scraper(new ManualClock(), undefined, room));
    if (!one || !other || !third) throw new Error('unreachable');
    const noRoom = { kind: 'down', sentence: expect.stringContaining('than there is room for') };
    expect(await rounds(one, target, 5)).toEqual(noRoom);
    expect(room.take(3 * mebibyte)).toBe(false);
    const small = await pod(
      'new-1',
      counting(() => 1),
    );
    expect(await rounds(other, small, 20)).toMatchObject({ kind: 'ok' });
    one.scrapes.close();
    expect(await rounds(third, await pod('new-1', large()), 2)).toMatchObject({ kind: 'ok' });
    third.scrapes.close();
    expect(room.take(8 * mebibyte)).toBe(true);
  });
});

test('pods of one release that never answer do not hold up those of another', async () => {
  const silent = await pod('new-1', (request) => void request.resume());
  const well = await pod(
    'old-1',
    counting(() => 1),
  );
  const reads = new PodReads({ clock: new ManualClock(), dispatcher: agent, allowance: new Allowance(1) });
  const stop = new AbortController();
  const all = [{}, {}, {}].flatMap((owner) =>
    Array.from({ length: 100 }, () => reads.read(owner, silent, () => true, stop.signal)),
  );
  const own = reads.read({}, well, () => true, stop.signal);
  const first = await Promise.race([own, systemClock.sleep(5_000, stop.signal)]);
  expect(first).toMatchObject({ exposed: { kind: 'ok' } });
  stop.abort();
  await Promise.all(all);
});

test('a selector that is not plain is a mistake of the program, not of a pod', async () => {
  await expect(scraper().ask([], 'rate(a[5m])')).rejects.toThrow('plain selectors');
});
