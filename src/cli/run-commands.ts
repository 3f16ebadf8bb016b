/** Owns names, options and help of the commands about Serin itself: demo, simulate, operator, uninstall, completion, version, help. */
import { Argument, Command, Option } from 'commander';
import { GUARD_MODES } from '../controller/guard-mode.ts';
import { durationOption, type Outcome, outputOption, positiveOption, withExamples } from './command-parts.ts';
import { shells } from './completion-scripts.ts';
import { demoCommand } from './demo-command.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { simulateCommand } from './simulate-command.ts';

export function runCommands(around: Surroundings, outcome: Outcome): Command[] {
  return [
    demoCommand,
    simulateCommand,
    operatorCommand,
    uninstallCommand,
    completionCommand,
    versionCommand,
    helpCommand,
  ].map((make) => make(around, outcome));
}

function uninstallCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('uninstall')
    .description(
      'Give every workload back and take Serin out of the cluster; with --namespace out of that namespace only.',
    )
    .option('-y, --yes', 'do not ask', false)
    .option('--force', 'also while releases run: they go back first, and no version is promoted by it', false)
    .option('--dry-run', 'only say what would be done', false)
    .addOption(
      new Option('--timeout <duration>', 'how long the operator may take to let go')
        .argParser(durationOption)
        .default(120_000, '2m'),
    )
    .action(async (_own, self: Command) => {
      const { uninstall } = await import('./uninstall.ts');
      const options = self.optsWithGlobals<
        GlobalOptions & { yes: boolean; force: boolean; dryRun: boolean; timeout: number }
      >();
      outcome.exitCode = await uninstall({ ...options, timeoutMs: options.timeout }, around);
    });
  return withExamples(command, around.programName, ['uninstall --dry-run', 'uninstall', 'uninstall -n shop --yes']);
}

function operatorCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('operator')
    .description(
      'Run the control loop: one process leads, others wait. With --namespace it looks at that namespace only.',
    )
    .option('--lease-namespace <name>', 'namespace of the Lease', 'serin-system')
    .option('--lease-name <name>', 'name of the Lease', 'serin')
    .option('--metrics-address <host:port>', 'where /metrics, /livez and /readyz are served', ':9797')
    .addOption(
      new Option('--log-level <level>', 'least weight of what is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option(
        '--guard <mode>',
        'what holds new templates: admission policy, the pause of the Deployment, or the policy where a dry-run shows that it works, else the pause',
      )
        .choices(GUARD_MODES)
        .default('auto'),
    )
    .option('--workers <count>', 'Rollouts worked on at once', positiveOption, 4)
    .action(async (_own, self: Command) => {
      const { operator } = await import('./operator.ts');
      outcome.exitCode = await operator(self.optsWithGlobals<Parameters<typeof operator>[0]>(), around);
    });
  return withExamples(command, around.programName, [
    'operator',
    'operator --kubeconfig operator.kubeconfig --metrics-address 127.0.0.1:9797',
  ]);
}

function completionCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('completion')
    .description('Print the script that lets a shell complete commands, options and names from the cluster.')
    .addArgument(
      new Argument('<shell>', 'for which shell; kubectl: the plugin that completes "kubectl serin"').choices(shells),
    )
    .addHelpText('after', installing)
    .action(async (shell: (typeof shells)[number]) => {
      const { completion } = await import('./completion.ts');
      outcome.exitCode = await completion(shell, around);
    });
  return withExamples(
    command,
    around.programName,
    shells.map((shell) => `completion ${shell}`),
  );
}

const installing = `
To install it for good:
  bash        serin completion bash > ~/.local/share/bash-completion/completions/serin
              (without the package bash-completion: echo 'source <(serin completion bash)' >> ~/.bashrc)
  zsh         echo 'source <(serin completion zsh)' >> ~/.zshrc     (after compinit)
  fish        serin completion fish > ~/.config/fish/completions/serin.fish
  powershell  serin completion powershell | Out-String | Invoke-Expression     (in $PROFILE)
  kubectl     serin completion kubectl > kubectl_complete-serin, made executable, in a directory of PATH
`;

function versionCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('version')
    .description('Print the version of this program.')
    .addOption(outputOption(['json', 'yaml']))
    .action(async (own: { output?: 'json' | 'yaml' }) => {
      const { version } = await import('./version.ts');
      outcome.exitCode = await version(own, around);
    });
  return withExamples(command, around.programName, ['version', 'version -o json']);
}

/** Commander's own answers an unknown name with the whole help and without a guess. */
function helpCommand(around: Surroundings, _outcome: Outcome): Command {
  const command = new Command('help')
    .description('Show the help of a command.')
    .argument('[command]', 'the command; without one, the list of all')
    .action(async (name: string | undefined, _own, self: Command) => {
      const isKnown = self.parent?.commands.some((one) => one.name() === name) ?? false;
      // An unknown name with --help would only show the help of the program.
      await self.parent?.parseAsync(
        [...(name === undefined ? [] : [name]), ...(isKnown || name === undefined ? ['--help'] : [])],
        {
          from: 'user',
        },
      );
    });
  return withExamples(command, around.programName, ['help', 'help watch']);
}
