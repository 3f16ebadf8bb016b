/** Owns name, options and help of `serin demo`. */
import { Command, Option } from 'commander';
import { type Outcome, positiveOption, shareOption, withExamples, wholeOption } from './command-parts.ts';
import type { Surroundings } from './session.ts';

export function demoCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('demo')
    .description(
      'Play a good and a bad release on a cluster inside this process, or with --cluster on a real one. It leaves nothing.',
    )
    .option('--bad-rate <share>', 'share of its requests that the bad version fails, from 0 to 1', shareOption, 0.2)
    .option('--seed <number>', 'which of them fail is drawn from it (without --cluster)', wholeOption, 1)
    .option('--rate <count>', 'requests a second', positiveOption, 500)
    .option('--cluster', 'on the cluster of the kubeconfig, in a namespace that is made for it and goes with it')
    .option('--gateway <namespace/name>', 'with --cluster: the Gateway for the requests (default: the only one)')
    .option('--address <url>', 'with --cluster: where requests reach it (default: what its status says)')
    .option('--metric-source <name>', 'with --cluster: who counts (default: the MetricSource that is the default)')
    .option('--image <image>', "with --cluster: what the pods run (default: Serin's own image)")
    .addOption(new Option('--serve', 'be the application in a pod of the demo').hideHelp())
    .action(async (_own, self: Command) => {
      const options = self.optsWithGlobals<Parameters<typeof import('./demo.ts').demo>[0] & { serve?: boolean }>();
      const { demo, demoPod } = await import('./demo.ts');
      outcome.exitCode = options.serve === true ? await demoPod(around) : await demo(options, around);
    });
  return withExamples(command, around.programName, [
    'demo',
    'demo --bad-rate 0.05 --seed 7',
    'demo --cluster --gateway gateways/public',
  ]);
}
