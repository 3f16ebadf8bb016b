// What a hostile or broken metric source does to a release: never a verdict, always one sentence, and nothing to be done once
// it is well again. Real sockets, the real collector, virtual time.
import { createServer } from 'node:net';
import { type MetricFault, type Unreachable, metricFaults, metricOddities, unreachable } from './metric-faults.ts';
import { MetricStage, shownAddress } from './metric-stage.ts';
import { type Listener, startSelfSigned, startStranger } from './self-signed.ts';
import { matches } from './table.ts';

let stage: MetricStage;
beforeEach(async () => {
  stage = await MetricStage.open();
});
afterEach(() => stage.close());

const verdicts = () =>
  stage.changes.filter(({ answer }) => answer.kind === 'judged' && answer.level !== 'calm' && answer.level !== 'doubt');

describe('a metric source that has never answered well', () => {
  test.each(metricFaults.map((fault) => [fault.input, fault] as const))('%s', async (_, { behave, sentence }) => {
    stage.fault = behave;
    // Half of the canary's answers fail, and nobody can know.
    await stage.begin({ canary: 0.5, stable: 0 });
    await stage.pass(70);
    expect(stage.said()).toEqual(matches(sentence));
    expect(stage.changes.filter(({ answer }) => answer.kind === 'judged')).toEqual([]);
    stage.fault = undefined;
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
  });
});

describe('a metric source that answered well before', () => {
  test.each(metricFaults.map((fault) => [fault.input, fault] as const))('%s', async (_, fault) => {
    await stage.begin();
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
    await fails(fault);
    stage.fault = undefined;
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'calm' });
    // Nothing that was served meanwhile is lost, and nothing is counted twice.
    const { requests, errors } = stage.fleet.truth.canary;
    expect(await stage.settleCounts()).toEqual({ counted: requests, failed: errors });
    expect(verdicts()).toEqual([]);
  });

  async function fails({ behave, sentence, later = sentence }: MetricFault): Promise<void> {
    stage.fault = behave;
    await stage.pass(40);
    expect(stage.answer()).toMatchObject({ kind: 'sourceDown', everAnswered: true });
    expect(stage.said()).toEqual(matches(later));
  }
});

describe('an answer with odd parts is counted exactly', () => {
  test.each(metricOddities)('$input: $answer', async ({ behave }) => {
    stage.fault = behave;
    await stage.begin({ canary: 0.01, stable: 0.01 });
    await stage.pass(60);
    const counts = await stage.settleCounts();
    const { requests, errors } = stage.fleet.truth.canary;
    expect(counts).toEqual({ counted: requests, failed: errors });
    expect(verdicts()).toEqual([]);
  });

  test('a replica that goes away for good: the other one is counted on, and what lies between is lost', async () => {
    const alternating = metricOddities.find(({ input }) => input.startsWith('answers of two replicas'))?.behave;
    stage.fault = (exchange) => alternating?.({ ...exchange, turn: 0 });
    await stage.begin({ canary: 0.01, stable: 0.01 });
    await stage.pass(30);
    stage.fault = (exchange) => alternating?.({ ...exchange, turn: 1 });
    await stage.pass(40);
    const { counted } = await stage.settleCounts();
    const { requests } = stage.fleet.truth.canary;
    expect(counted).toBeLessThanOrEqual(requests);
    expect(counted).toBeGreaterThan(requests - 10 * 20);
    expect(verdicts()).toEqual([]);
  });

  test('counters that begin anew: what was counted since the last scrape is lost, and nothing else', async () => {
    await stage.begin({ canary: 0.01, stable: 0.01 });
    await stage.pass(20);
    stage.fleet.resetPod('new-0');
    stage.fleet.resetPod('old-0');
    await stage.pass(20);
    const { counted } = await stage.settleCounts();
    const { requests } = stage.fleet.truth.canary;
    expect(counted).toBeLessThanOrEqual(requests);
    expect(counted).toBeGreaterThan(requests - 60);
    expect(verdicts()).toEqual([]);
  });
});

describe('a metric source that cannot be reached', () => {
  const listeners: Listener[] = [];
  const opened = async (listener: Promise<Listener>) => (listeners.push(await listener), (await listener).port);
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close();
  });

  const places: Readonly<Record<Unreachable['place'], () => Promise<string>>> = {
    nobody: async () => `http://127.0.0.1:${await freePort()}`,
    nowhere: async () => 'http://prometheus.nowhere:9090',
    selfSigned: async () => `https://127.0.0.1:${await opened(startSelfSigned())}`,
    noTls: async () => stage.address.replace('http:', 'https:'),
    noHttp: async () => `http://127.0.0.1:${await opened(startStranger())}`,
  };

  test.each(unreachable)('$input: it is down, and judged as soon as the address is corrected', async (row) => {
    const source = { name: 'main', address: await places[row.place](), timeoutMs: 5_000, dataPlane: 'app' as const };
    const subject = await stage.begin({ canary: 0.5, stable: 0 }, { source });
    await stage.pass(30);
    expect(stage.answer()).toMatchObject({ kind: 'sourceDown', everAnswered: false });
    expect(stage.said().replaceAll(source.address, shownAddress)).toEqual(matches(row.sentence));
    stage.collector.watch({ ...subject, source: { ...source, address: stage.address } });
    await stage.pass(60);
    expect(stage.answer()).toMatchObject({ kind: 'judged', level: 'harmful' });
  });

  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === 'object' && address !== null ? address.port : 0;
  }
});

test('a source that asks for patience gets it, up to a minute', async () => {
  stage.fault = ({ response }) => void response.writeHead(429, { 'retry-after': '30' }).end();
  await stage.begin();
  const before = stage.queries;
  await stage.pass(90);
  expect(stage.queries - before).toBeLessThanOrEqual(3);
  stage.fault = ({ response }) => void response.writeHead(429, { 'retry-after': '999999' }).end();
  await stage.pass(60);
  const patient = stage.queries;
  await stage.pass(125);
  expect(stage.queries - patient).toBeGreaterThanOrEqual(2);
});

test('an answer of 50 MB is not taken in: at once when it is announced, and beyond 16 MiB when it is not', async () => {
  const sent = async (input: string): Promise<number> => {
    stage.fault = metricFaults.find((fault) => fault.input.startsWith(input))?.behave;
    await stage.pass(10);
    const [bytes, queries] = [stage.sentBytes, stage.queries];
    await stage.pass(60);
    return (stage.sentBytes - bytes) / (stage.queries - queries) / 1024 / 1024;
  };
  await stage.begin();
  expect(await sent('50 MB, announced')).toBeLessThan(8);
  expect(await sent('50 MB, not announced')).toBeLessThan(26);
});

test('evidence does not look fresh because the clock of the source jumps', async () => {
  await stage.begin();
  await stage.pass(300);
  expect(stage.answer()).toMatchObject({ stepAcceptable: true });
  // Its own time and all samples go back an hour: what it had said till then was an hour later than it is.
  stage.fault = ({ response, nowMs }) => {
    response.setHeader('date', new Date(nowMs - 3_600_000).toUTCString());
    response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
  };
  await stage.pass(40);
  expect(stage.answer()).toMatchObject({ kind: 'sourceDown', everAnswered: true });
});

test('sources that hang, flood or break off delay no other release (S15)', async () => {
  const faults = metricFaults.filter(({ input }) =>
    ['no answer at all', 'one byte a second', '50 MB, not', 'a connection that is closed'].some((one) =>
      input.startsWith(one),
    ),
  );
  expect(faults).toHaveLength(4);
  const addresses = await Promise.all(faults.map(({ behave }) => stage.neighbour(behave)));
  const others = addresses.flatMap((address, at) =>
    [1, 2, 3].map((number) => ({
      key: `other-${at}/${number}`,
      source: { name: 'other', address, timeoutMs: 5_000, dataPlane: 'app' as const },
    })),
  );
  await stage.begin({ canary: 0.5, stable: 0 }, {}, ...others);
  const sinceMs = stage.clock.nowMs();
  await stage.pass(40);
  const verdict = stage.changes.find(
    ({ key, answer }) => key === 'uid/1' && answer.kind === 'judged' && answer.level === 'harmful',
  );
  expect(((verdict?.atMs ?? Infinity) - sinceMs) / 1000).toBeLessThanOrEqual(22);
  for (const { key } of others) expect(stage.answer(key)).toMatchObject({ kind: 'sourceDown' });
});
