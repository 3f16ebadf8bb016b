/**
 * The load generator, a process of its own:
 *
 *     node test/cluster/load/main.ts --url URL [--host-header HOST] --rate 100 --seed 1 --out FILE
 *
 * Open loop: requests go out on a fixed schedule, however slow the answers are. Half of them open a connection of their own
 * (drawn at random: the gateway's round robin is deterministic, and a strict alternation would see one version only). Each
 * request is a line of the log; SIGTERM ends the sending, waits for the answers and writes the summary.
 */
import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { seededRandom } from './random.ts';
import { toLine, totalsOf } from './record.ts';
import type { RequestRecord, SecondLine } from './record.ts';
import { createSender, now } from './sender.ts';

const tickMs = 5;
const lateMs = 50;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    'host-header': { type: 'string' },
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    'end-with-input': { type: 'boolean', default: false },
  },
});
if (values.url === undefined || values.out === undefined) {
  console.error('usage: load/main.ts --url URL --out FILE [--host-header HOST] [--rate N] [--seed N]');
  process.exit(2);
}

const rate = Number(values.rate);
const host = values['host-header'];
const sender = createSender({ url: values.url, ...(host === undefined ? {} : { host }) });
const random = seededRandom(Number(values.seed));
const output = createWriteStream(values.out, { flags: 'w' });
const records: RequestRecord[] = [];
const inFlight = new Set<Promise<void>>();
let lines: string[] = [];
let sent = 0;
let late = 0;

function sendOne(): void {
  const exchange = sender.send(random() < 0.5).then((record) => {
    records.push(record);
    lines.push(JSON.stringify(toLine(record)));
    inFlight.delete(exchange);
  });
  inFlight.add(exchange);
}

/** Sends everything that is due by now. */
function tick(startedAt: number): void {
  const elapsed = now() - startedAt;
  while ((sent * 1000) / rate <= elapsed) {
    if (elapsed - (sent * 1000) / rate > lateMs) late += 1;
    sent += 1;
    sendOne();
  }
}

function flush(): void {
  if (lines.length === 0) return;
  output.write(`${lines.join('\n')}\n`);
  lines = [];
}

let reported = 0;
let sentBefore = 0;

/** The line of one second: what was answered in it, by version and outcome. */
function report(): void {
  const outcomes: Record<string, number> = {};
  for (const { version, outcome } of records.slice(reported)) {
    const key = `${version || '-'} ${outcome}`;
    outcomes[key] = (outcomes[key] ?? 0) + 1;
  }
  const line: SecondLine = { second: Math.floor(now() / 1000), sent: sent - sentBefore, outcomes };
  reported = records.length;
  sentBefore = sent;
  lines.push(JSON.stringify(line));
  flush();
}

const startedAt = now();
const timers = [setInterval(() => tick(startedAt), tickMs), setInterval(flush, 100), setInterval(report, 1000)];

/** Ends the sending, waits for what is under way, and writes the last lines. */
async function finish(): Promise<void> {
  for (const timer of timers) clearInterval(timer);
  await Promise.all(inFlight);
  report();
  output.end(`${JSON.stringify({ summary: totalsOf(records, late) })}\n`, () => process.exit(0));
}

process.once('SIGTERM', () => void finish());
process.once('SIGINT', () => void finish());
// Started by a test: when that process dies, the pipe to it closes, and no load must go on without it.
if (values['end-with-input']) process.stdin.resume().once('end', () => void finish());
