/** `serin demo`: plays a good and a bad release, and says what became of each request. Without --cluster it touches no cluster but its own. */
import { diceFrom } from '../analysis/dice.ts';
import { EXIT } from '../api/reasons.ts';
import { openEmbedded } from '../demo/embedded.ts';
import { ownProgram } from '../demo/operator-child.ts';
import { runPod } from '../demo/pod.ts';
import { type Report, reportOf, type Seen } from '../demo/report.ts';
import { shopName } from '../demo/shop.ts';
import type { Stage } from '../demo/stage.ts';
import { StoryInterrupted, tellStory, versions } from '../demo/story.ts';
import { View } from '../demo/view.ts';
import { callOf, closingLines } from './demo-closing.ts';
import { CliError } from './failure.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { painted, type Terminal } from './terminal.ts';

export interface DemoOptions extends GlobalOptions {
  /** Share of its requests that the bad version fails, from 0 to 1. Default 0.2. */
  readonly badRate?: number | undefined;
  /** Which requests fail is drawn from it. Default 1. */
  readonly seed?: number | undefined;
  /** Requests a second. Default 500. */
  readonly rate?: number | undefined;
  /** On the cluster of the kubeconfig. Default: on one inside this process. */
  readonly cluster?: boolean | undefined;
  /** Only with `cluster`: "namespace/name". Default: the only one. */
  readonly gateway?: string | undefined;
  /** Only with `cluster`: where requests reach the gateway. Default: what the Gateway's status says. */
  readonly address?: string | undefined;
  /** Only with `cluster`: what the pods run. Default: Serin's own image. */
  readonly image?: string | undefined;
  /** Only with `cluster`. Default: the one that is marked as default, else the only one. */
  readonly metricSource?: string | undefined;
}

export type DemoSurroundings = Pick<Surroundings, 'terminal' | 'clock' | 'programName' | 'open'>;

/** Exits with 0 only when everything holds that its table says: promoted, rolled back, nothing lost. */
export async function demo(options: DemoOptions, around: DemoSurroundings): Promise<number> {
  refuseIgnored(options);
  const interruption = interrupted();
  try {
    const seen = await played(options, around, interruption.signal);
    return concluded(seen, options, around);
  } catch (error) {
    // Only this: when something could not be taken away, that is what has to be said.
    if (!(error instanceof StoryInterrupted)) throw error;
    throw new CliError('the demo was stopped before it had ended; nothing is left of it');
  } finally {
    interruption.release();
  }
}

/** From an empty stage to an empty stage. */
async function played(options: DemoOptions, around: DemoSurroundings, signal: AbortSignal): Promise<Seen> {
  const { terminal, clock } = around;
  const { badRate = 0.2, rate = 500 } = options;
  const view = new View(terminal, clock);
  const stage = await openStage(options, around);
  try {
    const look = `${callOf(around.programName)} watch ${shopName} ${stage.look}`;
    terminal.print(painted(terminal, 'dim', `From another terminal: ${look}`));
    const told = await tellStory(stage, { clock, badRate, ratePerSecond: rate }, view, signal);
    return { told, weights: stage.weights, pods: stage.pods };
  } finally {
    view.end();
    await stage.close();
  }
}

/** The application of the demo, in a pod of a real cluster: until SIGTERM. */
export async function demoPod({ clock, random }: Pick<Surroundings, 'clock' | 'random'>): Promise<number> {
  const interruption = interrupted();
  try {
    await runPod({ clock, random, env: process.env, signal: interruption.signal });
    return EXIT.done;
  } finally {
    interruption.release();
  }
}

async function openStage(options: DemoOptions, around: DemoSurroundings): Promise<Stage> {
  const { seed = 1 } = options;
  const { clock } = around;
  const program = ownProgram();
  const random = diceFrom(seed);
  if (options.cluster !== true) return openEmbedded({ clock, random, seed, program });
  const { openClusterStage } = await import('./demo-cluster.ts');
  return openClusterStage(options, around, program);
}

/** These would be accepted and ignored. */
function refuseIgnored(options: DemoOptions): void {
  const { namespace, context, kubeconfig, gateway, address, image, metricSource } = options;
  if (options.cluster === true) {
    if (namespace === undefined) return;
    throw new CliError('the demo makes a namespace of its own: leave --namespace out', EXIT.usage);
  }
  if ([namespace, context, kubeconfig].some((option) => option !== undefined))
    throw new CliError(
      'the demo has a cluster of its own: leave --namespace, --context and --kubeconfig out, or play it with --cluster',
      EXIT.usage,
    );
  if ([gateway, address, image, metricSource].some((option) => option !== undefined))
    throw new CliError('--gateway, --address, --image and --metric-source are for --cluster', EXIT.usage);
}

/** The first Ctrl-C ends the demo in order, a second one at once. */
function interrupted(): { readonly signal: AbortSignal; release(): void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    // Not by the signal itself: then nobody would end the operator and remove the files.
    if (stop.signal.aborted) process.exit(EXIT.error);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    release() {
      process.removeListener('SIGINT', onSignal);
      process.removeListener('SIGTERM', onSignal);
    },
  };
}

/** What was seen of a story that came to its end. Throws a CliError when that is not what the demo claims. */
export function concluded(
  seen: Seen,
  { badRate = 0.2, cluster = false }: Pick<DemoOptions, 'badRate' | 'cluster'>,
  { terminal, programName }: Pick<Surroundings, 'terminal' | 'programName'>,
): number {
  const { good, bad } = seen.told;
  if (good.kind === 'rolledBack')
    throw new CliError(`${versions.good} is a good version and was rolled back: ${good.message}`);
  if (bad?.kind !== 'rolledBack')
    throw new CliError(
      `${versions.bad} was promoted and nothing was rolled back: that it fails ${badRate * 100}% of its requests was no reason`,
    );
  const report = reportOf(seen);
  terminal.print(tableLines(report, bad.message, terminal).join('\n'));
  if (report.broken.length > 0) throw new CliError(`this is not what the demo claims: ${report.broken.join('; ')}`);
  const [title = '', ...lines] = closingLines(programName, cluster);
  terminal.print(['', painted(terminal, 'bold', title), ...lines].join('\n'));
  return EXIT.done;
}

function tableLines({ rows }: Report, why: string, terminal: Terminal): readonly string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, count]) => `  ${what.padEnd(width)}   ${painted(terminal, 'bold', count)}`);
  return ['', `${versions.bad} was rolled back: ${why}`, '', ...lines];
}
