/**
 * How fast the judge is: `npm run bench:speed -- [--write]`. Times are also given as multiples of a fixed computation that runs
 * in between, because machines differ and are shared; memory is what the heap grows by for each release that is kept.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { writeInto } from '../judge/page.ts';
import { errorsAlone, fourMetrics, judged, latencyToo, type Load, opened, windowMs, windowsOf } from './releases.ts';

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

const windows = windowsOf(240);
const rounds = 7;
const releasesTimed = 12;
const concurrent = 10_000;

/** The fixed computation: a thousand times the logarithm of a sum of exponentials, which is what evidence is made of. */
function reference(): number {
  let sum = 0;
  for (let index = 0; index < 1000; index += 1) sum += Math.log1p(Math.exp(-index / 100));
  return sum;
}

interface Timed {
  readonly nanoseconds: number;
  /** In runs of the reference computation. */
  readonly references: number;
}

/** Per window and metric: the median of several rounds, each beside the reference. */
function timed(load: Load): Timed {
  judgeAll(load);
  const all = Array.from({ length: rounds }, () => {
    const took = nanosecondsOf(() => judgeAll(load)) / (releasesTimed * windows.length * load.metricCount);
    return { nanoseconds: took, references: took / referenceNanoseconds() };
  });
  const middle = (numbers: readonly number[]): number =>
    numbers.toSorted((one, other) => one - other)[rounds >> 1] ?? 0;
  return {
    nanoseconds: middle(all.map(({ nanoseconds }) => nanoseconds)),
    references: middle(all.map(({ references }) => references)),
  };
}

function judgeAll(load: Load): void {
  for (let release = 0; release < releasesTimed; release += 1) {
    let judge = opened(load);
    for (const window of windows) judge = judged(judge, window, load);
    if (judge.metrics.length === 0) throw new Error('nothing was judged');
  }
}

function referenceNanoseconds(): number {
  const times = 300;
  return (
    nanosecondsOf(() => {
      for (let time = 0; time < times; time += 1)
        if (reference() < 0) throw new Error('a sum of positive numbers is negative');
    }) / times
  );
}

function nanosecondsOf(work: () => void): number {
  const beganAt = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - beganAt);
}

/** Bytes of heap that one release with half an hour of windows keeps. */
function bytesOf(load: Load): number {
  const kept = 200;
  const half = windows.length / 2;
  const before = heapUsed();
  const judges = Array.from({ length: kept }, () =>
    windows.slice(0, half).reduce((judge, window) => judged(judge, window, load), opened(load)),
  );
  const bytes = (heapUsed() - before) / judges.length;
  return bytes;
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') {
    collect();
    collect();
  }
  return process.memoryUsage().heapUsed;
}

referenceNanoseconds();
const rows = [errorsAlone, latencyToo, fourMetrics].map((load) => {
  const time = timed(load);
  const perSecond = 1e9 / time.nanoseconds;
  const cells = [
    load.label,
    `${Math.round(time.nanoseconds)} ns`,
    time.references.toFixed(2),
    Math.round(perSecond).toLocaleString('en'),
    `${Math.round(bytesOf(load) / 1024)} KiB`,
  ];
  return { load, time, cells };
});

const whole = rows.at(-1);
const needed = (concurrent * fourMetrics.metricCount * 1000) / windowMs;
const used = whole === undefined ? Number.NaN : (needed * whole.time.nanoseconds) / 1e9;
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = [
  'judged',
  'per window and metric',
  'in reference computations',
  'windows × metrics per second and core',
  'memory per release',
];
const markdown = [
  line(head),
  line(head.map(() => '---')),
  ...rows.map(({ cells }) => line(cells)),
  '',
  `${concurrent.toLocaleString('en')} releases at once × ${fourMetrics.metricCount} metrics × a window every ${windowMs / 1000} s are ${needed.toLocaleString('en')} windows a second: **${Math.round(used * 100)} % of one core** of this machine, so they ${used < 0.7 ? 'fit with room' : used < 1 ? 'just fit' : 'do not fit'}. One reference computation took ${Math.round(referenceNanoseconds())} ns.`,
].join('\n');

process.stdout.write(`${markdown}\n`);
if (values.write) await writeInto(new URL('../../docs/benchmarks.md', import.meta.url), 'speed', markdown);
