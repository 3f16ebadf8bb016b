import { ManualClock } from '../kube/manual-clock.ts';
import { eventually } from './fixtures.ts';
import { Load } from './load.ts';
import { type Served, serve } from './serve.ts';

let served: Served;
let seen = 0;

/** Of ten requests: one fails, one gets no pod, one is cut off, and the other seven are fine. */
beforeEach(async () => {
  seen = 0;
  served = await serve((request, response) => {
    const nth = seen++ % 10;
    if (nth === 2) request.socket.destroy();
    else if (nth === 1) response.writeHead(503).end();
    else response.writeHead(nth === 0 ? 500 : 200, { 'x-version': nth < 5 ? 'v1' : 'v2' }).end('words');
  });
});

afterEach(() => served.close());

function loadOf(clock: ManualClock, options: { mostUnderWay?: number } = {}): Load {
  return new Load({ clock, url: served.url, host: 'checkout.example.com', ratePerSecond: 100, ...options });
}

describe('the load of the demo', () => {
  test('counts what each version answered, what the gateway refused and what was lost', async () => {
    const clock = new ManualClock();
    const load = loadOf(clock);
    const stop = new AbortController();
    const running = load.run(stop.signal, new AbortController().signal);
    for (let second = 0; second < 10; second += 1) {
      await clock.advance(100);
      await eventually(() => seen >= (second + 1) * 9);
    }
    stop.abort();
    await running;
    const { sent, answered, refused, versions, troubles } = load.counts;
    expect({ sent, answered, refused }).toEqual({ sent: 100, answered: 90, refused: 10 });
    expect([...troubles.values()]).toEqual([10, 10]);
    expect(versions.get('v1')).toMatchObject({ good: 20, bad: 10 });
    expect(versions.get('v1')?.firstBadMs).toBeDefined();
    expect(versions.get('v2')).toMatchObject({ good: 50, bad: 0, firstBadMs: undefined });
  });

  test('keeps its rate when nobody answers, and waits for what is under way at the end', async () => {
    await served.close();
    const silent: (() => void)[] = [];
    served = await serve((_, response) => silent.push(() => response.writeHead(200, { 'x-version': 'v1' }).end()));
    const clock = new ManualClock();
    const load = loadOf(clock, { mostUnderWay: 1_000 });
    const stop = new AbortController();
    const running = load.run(stop.signal, new AbortController().signal);
    await clock.advance(1_000);
    expect(load.counts).toMatchObject({ sent: 100, answered: 0 });
    await eventually(() => silent.length === 100);
    stop.abort();
    for (const answer of silent) answer();
    await running;
    expect(load.counts).toMatchObject({ sent: 100, answered: 100, refused: 0 });
  });

  test('where answers come too slowly, it sends no more than can be under way, and counts the rest apart', async () => {
    await served.close();
    const silent: (() => void)[] = [];
    served = await serve((_, response) => silent.push(() => response.writeHead(200, { 'x-version': 'v1' }).end()));
    const clock = new ManualClock();
    const load = loadOf(clock, { mostUnderWay: 20 });
    const stop = new AbortController();
    const running = load.run(stop.signal, new AbortController().signal);
    await clock.advance(5_000);
    await eventually(() => silent.length === 20);
    expect(load.counts).toMatchObject({ sent: 20, answered: 0, heldBack: 380 });
    stop.abort();
    for (const answer of silent) answer();
    await running;
    expect(load.counts).toMatchObject({ sent: 20, answered: 20 });
  });

  test('cut off, it waits for nobody', async () => {
    await served.close();
    let asked = 0;
    served = await serve(() => {
      asked += 1;
    });
    const clock = new ManualClock();
    const load = loadOf(clock);
    const cut = new AbortController();
    const running = load.run(new AbortController().signal, cut.signal);
    await clock.advance(100);
    await eventually(() => asked === 10);
    cut.abort();
    await running;
    expect(load.counts).toMatchObject({ sent: 10, answered: 0 });
  });
});
