/**
 * The benchmark of the judge: `npm run bench:judge -- [--quick] [--out DIRECTORY] [--write] [--threads N]`. It plays healthy
 * and faulty releases in virtual time, for Serin and for other rules on the same counts, and prints what became of them.
 * `--write` puts the tables into docs/benchmarks.md. Seeds are fixed: the same version gives the same figures.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { writeCsv } from './csv.ts';
import { writeInto } from './page.ts';
import { playAll } from './pool.ts';
import { full, jobsOf, quick } from './protocol.ts';
import { report } from './tables.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    out: { type: 'string' },
    threads: { type: 'string', default: `${availableParallelism()}` },
  },
});

const threads = Number(values.threads);
if (!Number.isInteger(threads) || threads < 1) throw new Error(`--threads ${values.threads} is no number of threads`);
const extent = values.quick ? quick : full;
const jobs = jobsOf(extent);
const releases = jobs.reduce((sum, { replicates }) => sum + replicates, 0);
const beganMs = performance.now();
const results = await playAll(jobs, threads, showProgress);
if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');

const minutes = (performance.now() - beganMs) / 60_000;
const summary = `${releases.toLocaleString('en')} simulated releases, ${extent.isQuick ? 'quick run' : 'full run'}`;
const markdown = `${summary}.\n\n${report(results)}`;
process.stdout.write(`${markdown}\n`);
if (values.out !== undefined) process.stderr.write(`${await writeCsv(values.out, results)}\n`);
if (values.write) await writeInto(new URL('../../docs/benchmarks.md', import.meta.url), 'judge', markdown);
process.stderr.write(`${summary}, in ${minutes.toFixed(1)} minutes on ${threads} threads\n`);

function showProgress(done: number): void {
  if (!process.stderr.isTTY) return;
  const leftMinutes = ((performance.now() - beganMs) / done - (performance.now() - beganMs)) / 60_000;
  process.stderr.write(`\r${(done * 100).toFixed(1)} %, about ${leftMinutes.toFixed(1)} minutes left\u001B[K`);
}
