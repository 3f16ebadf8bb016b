/** Owns names, options and help of the commands for the time before a release; they write nothing to the cluster. */
import { Command } from 'commander';
import { backtestCommand } from './backtest-command.ts';
import { outputOption, type Outcome, withExamples } from './command-parts.ts';
import type { Surroundings } from './session.ts';

export function prepareCommands(around: Surroundings, outcome: Outcome): Command[] {
  return [initCommand, checkCommand, planCommand, backtestCommand].map((make) => make(around, outcome));
}

function initCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('init')
    .description(
      'Print a Rollout for a Deployment, for "kubectl apply -f -"; what was guessed is said in its comments.',
    )
    .argument('[deployment]', 'the Deployment; may be left out where the namespace has only one')
    .option('--service <name>', 'the Service that the routes name, instead of the one that is found')
    .option('--route <name...>', 'HTTPRoutes that name the Service, instead of those that are found')
    .action(async (deployment: string | undefined, _own, self: Command) => {
      const { init } = await import('./init.ts');
      outcome.exitCode = await init(deployment, self.optsWithGlobals<Parameters<typeof init>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'init checkout -n shop',
    'init checkout -n shop > rollout.yaml',
    'init checkout --service checkout --route checkout',
  ]);
}

function checkCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('check')
    .description(
      'Look whether a release would work here: cluster, operator, workload, traffic, metrics, rights. Writes nothing.',
    )
    .argument('[name]', 'the Rollout in the cluster; without any, the cluster and the operator only')
    .option(
      '-f, --filename <file>',
      'a Rollout in a file, perhaps with its Deployment, Service and HTTPRoute; "-" is standard input',
    )
    .option('--target <deployment>', 'a Deployment that has no Rollout yet, looked at as "init" would release it')
    .addOption(outputOption(['json', 'yaml']))
    .addHelpText('after', checkCodes)
    .action(async (name: string | undefined, _own, self: Command) => {
      const { check } = await import('./check/check.ts');
      outcome.exitCode = await check(name, self.optsWithGlobals<Parameters<typeof check>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'check',
    'check checkout -n shop',
    'check -f rollout.yaml',
    'check --target deployment/checkout -n shop -o json',
  ]);
}

const checkCodes = `
Exit codes: 0 nothing stands in the way, 4 a person is needed, 6 the Rollout or Deployment is not there or may not be read.
`;

function planCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('plan')
    .description(
      'Say what a release would do before it does: steps, pods, pins, and what stands in the way. Writes nothing.',
    )
    .argument('[name]', 'the Rollout in the cluster')
    .option(
      '-f, --filename <file>',
      'a Rollout in a file, perhaps with its Deployment, Service and HTTPRoute; "-" is standard input',
    )
    .addOption(outputOption(['json', 'yaml']))
    .action(async (name: string | undefined, _own, self: Command) => {
      const { plan } = await import('./plan.ts');
      outcome.exitCode = await plan(name, self.optsWithGlobals<Parameters<typeof plan>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'plan checkout -n shop',
    'plan -f rollout.yaml',
    'plan -f rollout.yaml -o json',
  ]);
}
