/** Owns name, options and help of `serin backtest`; what it does is loaded when it is called. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { durationOption, outputOption, type Outcome, positiveOption, withExamples } from './command-parts.ts';
import type { Surroundings } from './session.ts';

export function backtestCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('backtest')
    .description(
      'Let the judge look at the releases of the past: which bad ones it would have rolled back, and when, and how many good ones. Only reads.',
    )
    .argument('[name]', 'a Rollout, whose settings are taken, or deployment/NAME; not needed with --file')
    .option('--days <count>', 'how far back, as far as the metric source remembers', positiveOption, 90)
    .option('--look <duration>', 'how long a release is looked at, from its first pod', durationOption, 1_800_000)
    .option('--confidence <percent>', "instead of the Rollout's", confidenceOption)
    .option('--source <name>', "a MetricSource, instead of the Rollout's or the default")
    .option('--prometheus <address>', 'a Prometheus API, instead of a MetricSource')
    .addOption(
      new Option('--data-plane <name>', 'whose counters are read with --prometheus').choices([
        'app',
        'istio',
        'linkerd',
      ]),
    )
    .option('--token-file <file>', 'a file with a bearer token for the source')
    .option('--save <file>', 'keep what was counted, for --file')
    .option('--file <file>', 'look at what --save has kept; "-" is standard input; needs no cluster')
    .addOption(outputOption(['json', 'yaml']))
    .action(async (name: string | undefined, _own, self: Command) => {
      const { backtest } = await import('./backtest/backtest.ts');
      outcome.exitCode = await backtest(name, self.optsWithGlobals<Parameters<typeof backtest>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'backtest checkout -n shop',
    'backtest deployment/checkout -n shop --days 30 --save past.json',
    'backtest --file past.json --confidence 99',
  ]);
}

/** As the Rollout allows it. */
function confidenceOption(text: string): number {
  const percent = Number(text);
  if (!/^[0-9.]+$/.test(text) || !(percent >= 90 && percent <= 99.999))
    throw new InvalidArgumentError('Write a percentage from 90 to 99.999.');
  return percent;
}
