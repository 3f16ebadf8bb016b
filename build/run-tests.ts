/**
 * Runs the project's suites: `node build/run-tests.ts unit|cluster|e2e|all`. It counts what Jest itself reports, says which
 * suites did not run and why, and its very last line is the sum of everything.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isUnavailable, openCluster } from '../test/cluster/cluster.ts';
import { type Counts, noCounts, plus, readReport, skippedIn, summaryLine } from './test-report.ts';

/** Each suite belongs to exactly one of these by its file name. */
const suites = {
  unit: { only: [], without: ['\\.cluster\\.test\\.ts$', '\\.e2e\\.test\\.ts$'], inBand: false },
  cluster: { only: ['\\.cluster\\.test\\.ts$'], without: [], inBand: true },
  e2e: { only: ['\\.e2e\\.test\\.ts$'], without: [], inBand: true },
} as const;

type Suite = keyof typeof suites;

const root = fileURLToPath(new URL('../', import.meta.url));
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

interface Outcome {
  readonly counts: Counts;
  readonly isGood: boolean;
  /** Checks that are no tests, and failed. */
  readonly faults: readonly string[];
  /** What did not run, and why. */
  readonly leftOut: readonly string[];
}

const nothing: Outcome = { counts: noCounts, isGood: true, faults: [], leftOut: [] };

async function main(wish: string | undefined): Promise<number> {
  const outcome = await ran(wish);
  if (outcome === undefined) {
    console.error('usage: node build/run-tests.ts unit|cluster|e2e|all');
    return 2;
  }
  console.log('');
  for (const name of outcome.faults) console.log(`Failed check: ${name}`);
  for (const line of outcome.leftOut) console.log(`Did not run: ${line}`);
  console.log(summaryLine(outcome.counts));
  return outcome.isGood ? 0 : 1;
}

async function ran(wish: string | undefined): Promise<Outcome | undefined> {
  switch (wish) {
    case 'unit':
      return runSuite('unit');
    case 'cluster':
    case 'e2e':
      return onCluster([wish]);
    case 'all':
      return inTurn([checks, () => runSuite('unit'), () => onCluster(['cluster', 'e2e'])]);
    case undefined:
    default:
      return undefined;
  }
}

/** Goes on after a failure, so that one run shows everything that is wrong. */
async function inTurn(parts: readonly (() => Promise<Outcome>)[]): Promise<Outcome> {
  let sum = nothing;
  for (const part of parts) {
    const next = await part();
    sum = {
      counts: plus(sum.counts, next.counts),
      isGood: sum.isGood && next.isGood,
      faults: [...sum.faults, ...next.faults],
      leftOut: [...sum.leftOut, ...next.leftOut],
    };
  }
  return sum;
}

/** Types, lint, format, dead code, generated files: no tests, and so in no count; but a fault fails the run. */
async function checks(): Promise<Outcome> {
  const commands: readonly (readonly [string, ...string[]])[] = [
    [bin('tsc'), '-p', 'tsconfig.json'],
    [bin('oxlint'), '--type-aware', '--deny-warnings'],
    [bin('biome'), 'format'],
    [bin('knip')],
    [process.execPath, 'build/generate.ts', '--check'],
  ];
  const failed: string[] = [];
  for (const [command, ...args] of commands) {
    const name = [command.slice(command.lastIndexOf('/') + 1), ...args].join(' ');
    console.log(`\n> ${name}`);
    if ((await exitCodeOf(command, args)) !== 0) failed.push(name);
  }
  return { ...nothing, isGood: failed.length === 0, faults: failed };
}

/** Opens the cluster once, with its progress on the terminal; the suites then find it up. */
async function onCluster(wanted: readonly Suite[]): Promise<Outcome> {
  try {
    const cluster = await openCluster([], (line) => console.log(line));
    if (!isUnavailable(cluster)) {
      console.log(`\nthe cluster: ${cluster.provider}`);
      // The suites need not ask those again that had none.
      if (cluster.provider !== 'existing') process.env['SERIN_TEST_PROVIDER'] = cluster.provider;
      return inTurn(wanted.map((suite) => () => runSuite(suite)));
    }
    const leftOut = wanted.map((suite) => `the ${suite} suites: ${cluster.unavailable}`);
    // Asked for by name, nothing is not a success.
    return { ...nothing, isGood: wanted.length > 1, leftOut };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const leftOut = wanted.map((suite) => `the ${suite} suites, although they are required: ${why}`);
    return { ...nothing, counts: { ...noCounts, failed: wanted.length }, isGood: false, leftOut };
  }
}

async function runSuite(suite: Suite): Promise<Outcome> {
  const { only, without, inBand } = suites[suite];
  const directory = await mkdtemp(join(tmpdir(), 'serin-tests-'));
  const report = join(directory, 'report.json');
  console.log(`\n> ${suite} suites`);
  try {
    const exitCode = await exitCodeOf(process.execPath, [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...(inBand ? ['--runInBand'] : ['--maxWorkers=100%']),
      ...['/node_modules/', ...without].flatMap((pattern) => ['--testPathIgnorePatterns', pattern]),
      '--json',
      '--outputFile',
      report,
      ...only.flatMap((pattern) => ['--testPathPatterns', pattern]),
    ]);
    const json = await readFile(report, 'utf8').catch(() => undefined);
    const counts = readReport(json);
    return { ...nothing, counts, isGood: exitCode === 0 && counts.failed === 0, leftOut: skippedIn(json, root) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Jest writes its report to the file too; what it prints on standard output is only the same again. */
function exitCodeOf(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const isReporting = args.includes('--json');
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['inherit', isReporting ? 'ignore' : 'inherit', 'inherit'],
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (code, signal) => {
      if (signal !== null) console.error(`${command} was ended by ${signal}`);
      resolve(code ?? 1);
    });
  });
}

process.exitCode = await main(process.argv[2]);
