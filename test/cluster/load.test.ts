import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadResult, startLoad } from './load.ts';
import type { RequestRecord } from './load.ts';
import { isGatewayError, totalsOf } from './load/record.ts';

function record(sentAt: number, version: string, outcome: RequestRecord['outcome'] = 200): RequestRecord {
  return { sentAt, doneAt: sentAt + 5, version, outcome, fresh: false };
}

function result(requests: RequestRecord[]): LoadResult {
  return new LoadResult('', requests, [], totalsOf(requests, 0));
}

async function withServer<Result>(listener: RequestListener, work: (url: string) => Promise<Result>): Promise<Result> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    return await work(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('questions about a load', () => {
  it('tells lost requests, errors of the gateway and bad answers apart', () => {
    const seen = result([record(1, 'v1', 500), record(2, '', 503), record(3, '', 'timeout'), record(4, '', 404)]);
    expect(seen.totals).toMatchObject({ sent: 4, answered: 3, lost: 1, gatewayErrors: 1, timeouts: 1 });
    expect(seen.badAnswers().map(({ sentAt }) => sentAt)).toEqual([1]);
    expect(isGatewayError(record(1, 'v1', 503))).toBe(false);
  });

  it('finds when a share went down for good, not a short gap', () => {
    const requests = Array.from({ length: 600 }, (_, index) => {
      const canary = index < 300 ? index % 4 === 0 && index !== 100 : index % 50 === 0;
      return record(index * 10, canary ? 'v2' : 'v1');
    });
    const lowered = result(requests).firstTimeShareBelow('v2', 0.1);
    expect(lowered).toBeGreaterThanOrEqual(2500);
    expect(lowered).toBeLessThanOrEqual(3010);
  });

  it('counts shares in a span', () => {
    const seen = result([record(0, 'v1'), record(10, 'v2'), record(20, 'v2'), record(30, 'v1')]);
    expect(seen.shareOf('v2', { from: 10, to: 30 })).toBe(1);
    expect(seen.countByVersion()).toEqual({ v1: 2, v2: 2 });
  });
});

describe('the generator', () => {
  it('keeps its schedule while answers are slow, and opens about half of the connections anew', async () => {
    const seen = await withServer(
      (_, response) => void sleep(700).then(() => response.setHeader('x-version', 'slow').end()),
      async (url) => {
        const load = startLoad({ url, ratePerSecond: 100 });
        await sleep(3000);
        return load.stop();
      },
    );
    expect(seen.totals).toMatchObject({ lost: 0, gatewayErrors: 0 });
    expect(seen.totals.sent).toBeGreaterThan(200);
    const anew = seen.requests.filter(({ fresh }) => fresh).length / seen.totals.sent;
    expect(anew).toBeGreaterThan(0.35);
    expect(anew).toBeLessThan(0.65);
    expect(seen.shareOf('slow')).toBe(1);
  }, 20_000);

  it('counts a connection that is closed without an answer as lost', async () => {
    const seen = await withServer(
      (request) => void request.socket.destroy(),
      async (url) => {
        const load = startLoad({ url, ratePerSecond: 50 });
        await sleep(1500);
        return load.stop();
      },
    );
    expect(seen.totals.answered).toBe(0);
    expect(seen.totals.lost).toBe(seen.totals.sent);
    expect(seen.totals.connectionErrors).toBe(seen.totals.sent);
  }, 20_000);
});
