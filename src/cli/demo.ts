/** `serin demo`: plays a good and a bad release on a cluster inside this process, and says what became of each request. It touches no other cluster. */
import { diceFrom } from '../analysis/dice.ts';
import { EXIT } from '../api/reasons.ts';
import { ownProgram } from '../demo/operator-child.ts';
import { type Report, reportOf, type Seen } from '../demo/report.ts';
import { openStage } from '../demo/stage.ts';
import { tellStory, versions } from '../demo/story.ts';
import { View } from '../demo/view.ts';
import { CliError } from './failure.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { painted, type Terminal } from './terminal.ts';

export interface DemoOptions extends GlobalOptions {
  /** Share of its requests that the bad version fails, from 0 to 1. Default 0.2. */
  readonly badRate?: number | undefined;
  /** Which requests fail is drawn from it. Default 1. */
  readonly seed?: number | undefined;
  /** Requests a second. Default 900. */
  readonly rate?: number | undefined;
}

/** Exits with 0 only when everything holds that its table says: promoted, rolled back, nothing lost. */
export async function demo(
  options: DemoOptions,
  around: Pick<Surroundings, 'terminal' | 'clock' | 'programName'>,
): Promise<number> {
  refuseClusters(options);
  const { terminal, clock } = around;
  const { badRate = 0.2, seed = 1, rate = 900 } = options;
  const interruption = interrupted();
  const view = new View(terminal, clock);
  const stage = await openStage({ clock, random: diceFrom(seed), seed, program: ownProgram() });
  try {
    const look = `${around.programName} watch checkout -n shop --kubeconfig ${stage.adminKubeconfig}`;
    terminal.print(painted(terminal, 'dim', `From another terminal: ${look}`));
    const told = await tellStory(stage, { clock, badRate, ratePerSecond: rate }, view, interruption.signal);
    view.end();
    const pods = stage.kubelet.started.map(({ version }) => version);
    return concluded({ told, weights: stage.weights, pods }, badRate, around);
  } catch (error) {
    // Ctrl-C in a terminal reaches the operator of the demo as well; that it ends is no news then.
    if (interruption.signal.aborted)
      throw new CliError('the demo was stopped before it had ended; nothing is left of it');
    throw error;
  } finally {
    await stage.close();
    interruption.release();
  }
}

/** These are accepted before every command; here they would be ignored in silence. */
function refuseClusters({ namespace, context, kubeconfig }: GlobalOptions): void {
  if ([namespace, context, kubeconfig].some((option) => option !== undefined))
    throw new CliError(
      'the demo has a cluster of its own: leave --namespace, --context and --kubeconfig out',
      EXIT.usage,
    );
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
  badRate: number,
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
  terminal.print(forReal(programName, terminal).join('\n'));
  return EXIT.done;
}

function tableLines({ rows }: Report, why: string, terminal: Terminal): readonly string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, count]) => `  ${what.padEnd(width)}   ${painted(terminal, 'bold', count)}`);
  return ['', `${versions.bad} was rolled back: ${why}`, '', ...lines];
}

function forReal(programName: string, terminal: Terminal): readonly string[] {
  return [
    '',
    painted(terminal, 'bold', 'For real, on your own cluster:'),
    '  kubectl apply --server-side -f deploy/install.yaml',
    `  ${programName} init checkout -n shop | kubectl apply -f -`,
    `  ${programName} watch checkout -n shop`,
  ];
}
