/** Owns the names, options and help of every command. What a command does is loaded only when it is called. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../api/duration.ts';
import type { Act } from './act.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { programVersion } from './version.ts';

/** Where a command leaves its exit code. */
export interface Outcome {
  exitCode: number;
}

/** Commander's program, ready to parse. It throws a CommanderError instead of ending the process. */
export function commandLine(around: Surroundings, outcome: Outcome): Command {
  const { programName, terminal } = around;
  const program = new Command(programName)
    .description(
      'Releases new versions of Kubernetes Deployments step by step and judges them by what their requests experience.',
    )
    .version(programVersion, '--version', 'print the version and exit')
    .option('-n, --namespace <name>', 'namespace of the Rollout (default: of the context)')
    .option('--context <name>', 'context of the kubeconfig to use (default: the current one)')
    .option(
      '--kubeconfig <file>',
      "kubeconfig to use (default: KUBECONFIG, then ~/.kube/config, then the pod's own account)",
    )
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.draw(text), writeErr: (text) => terminal.complain(text.trimEnd()) })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      examples(programName, [
        'get -A',
        'watch checkout',
        'explain checkout',
        'abort checkout --reason "checkout errors"',
      ]) + exitCodes,
    );
  const add = (command: Command): Command => inherit(command, program);
  add(getCommand(around, outcome));
  add(watchCommand(around, outcome));
  add(explainCommand(around, outcome));
  add(planCommand(around, outcome));
  for (const action of actions) add(actCommand(action, around, outcome));
  add(versionCommand(around, outcome));
  add(operatorCommand(around, outcome));
  return program;
}

const exitCodes = `
Exit codes: 0 done, 1 error, 2 wrong usage, 3 rolled back, 4 refused or a person is needed, 5 timed out, 6 not found or forbidden.
`;

/** A command that was made apart from its program does not inherit its settings by itself. */
function inherit(command: Command, program: Command): Command {
  program.addCommand(command.copyInheritedSettings(program));
  return command;
}

function examples(programName: string, lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${programName} ${line}`).join('\n')}\n`;
}

function outputOption(choices: readonly string[]): Option {
  return new Option('-o, --output <format>', 'how the answer is written').choices(choices);
}

function durationOption(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof RangeError ? error.message : String(error));
  }
}

function getCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('get')
    .description('List Rollouts.')
    .argument('[names...]', 'Rollouts to show; without names all of the namespace')
    .option('-A, --all-namespaces', 'in all namespaces')
    .addOption(outputOption(['json', 'yaml', 'wide', 'name']))
    .addHelpText('after', examples(around.programName, ['get', 'get -A -o wide', 'get checkout -n shop -o yaml']))
    .action(async (names: readonly string[], _own, command: Command) => {
      const { get } = await import('./get.ts');
      outcome.exitCode = await get(names, command.optsWithGlobals<Parameters<typeof get>[1]>(), around);
    });
}

function watchCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('watch')
    .description('Follow a Rollout: live on a terminal, one line a change in a pipe.')
    .argument('<name>', 'the Rollout')
    .option(
      '--exit-status',
      'end when the release has ended, with its outcome as exit code: 0 released, 3 rolled back, 4 a person is needed',
    )
    .option('--timeout <duration>', 'end after this time with exit code 5, for example 30m', durationOption)
    .addHelpText(
      'after',
      examples(around.programName, ['watch checkout -n shop', 'watch checkout --exit-status --timeout 30m']),
    )
    .action(async (name: string, _own, command: Command) => {
      const { watch } = await import('./watch.ts');
      const options = command.optsWithGlobals<GlobalOptions & { exitStatus?: boolean; timeout?: number }>();
      outcome.exitCode = await watch(
        name,
        { ...options, exitStatus: options.exitStatus === true, timeoutMs: options.timeout },
        around,
      );
    });
}

function explainCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('explain')
    .description('Tell what a Rollout is doing and why: evidence, what is waited for, history, quarantined revisions.')
    .argument('<name>', 'the Rollout')
    .addOption(outputOption(['json', 'yaml']))
    .addHelpText('after', examples(around.programName, ['explain checkout -n shop']))
    .action(async (name: string, _own, command: Command) => {
      const { explain } = await import('./explain.ts');
      outcome.exitCode = await explain(name, command.optsWithGlobals<Parameters<typeof explain>[1]>(), around);
    });
}

function planCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('plan')
    .description(
      'Say what a release would do before it does: steps, pods, pins, and what stands in the way. Writes nothing.',
    )
    .argument('[name]', 'the Rollout in the cluster')
    .option(
      '-f, --filename <file>',
      'a Rollout in a file, perhaps with its Deployment, Service and HTTPRoute; "-" is standard input',
    )
    .addOption(outputOption(['json', 'yaml']))
    .addHelpText(
      'after',
      examples(around.programName, ['plan checkout -n shop', 'plan -f rollout.yaml', 'plan -f rollout.yaml -o json']),
    )
    .action(async (name: string | undefined, _own, command: Command) => {
      const { plan } = await import('./plan.ts');
      outcome.exitCode = await plan(name, command.optsWithGlobals<Parameters<typeof plan>[1]>(), around);
    });
}

const actions: readonly { readonly name: Act; readonly description: string }[] = [
  {
    name: 'pause',
    description:
      'Stop a release where it stands: its weight does not grow until resume. Brakes and rollbacks stay free.',
  },
  { name: 'resume', description: 'Let a paused release go on.' },
  {
    name: 'abort',
    description: 'Take all traffic back to the stable revision, and do not run this revision again until retry.',
  },
  { name: 'retry', description: 'Let a revision that was rolled back run again.' },
  {
    name: 'promote',
    description: 'Skip waiting and missing evidence up to the end of the release; never doubt about harm or a brake.',
  },
  { name: 'skip', description: 'Skip the waiting of the current step; never doubt about harm or a brake.' },
];

function actCommand(
  { name: action, description }: (typeof actions)[number],
  around: Surroundings,
  outcome: Outcome,
): Command {
  const whose = action === 'retry' ? 'the newest quarantined one' : 'the one under release';
  return new Command(action)
    .description(description)
    .argument('<name>', 'the Rollout')
    .option(
      '--revision <hash>',
      `the revision that is meant, or a beginning of it that fits no other (default: ${whose})`,
    )
    .option('--reason <text>', 'why, for those who read it later')
    .option('--no-wait', 'do not wait for the answer')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the answer')
        .argParser(durationOption)
        .default(30_000, '30s'),
    )
    .addHelpText(
      'after',
      examples(around.programName, [
        `${action} checkout -n shop --reason "checked the logs"`,
        `${action} checkout --revision 7f9c`,
      ]),
    )
    .action(async (name: string, _own, command: Command) => {
      const { act } = await import('./act.ts');
      const options = command.optsWithGlobals<
        GlobalOptions & { revision?: string; reason?: string; wait: boolean; timeout: number }
      >();
      outcome.exitCode = await act(action, name, { ...options, timeoutMs: options.timeout }, around);
    });
}

function versionCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('version')
    .description('Print the version of this program.')
    .addOption(outputOption(['json', 'yaml']))
    .addHelpText('after', examples(around.programName, ['version', 'version -o json']))
    .action(async (own: { output?: 'json' | 'yaml' }) => {
      const { version } = await import('./version.ts');
      outcome.exitCode = await version(own, around);
    });
}

function operatorCommand(around: Surroundings, outcome: Outcome): Command {
  return new Command('operator')
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
    .option('--workers <count>', 'Rollouts worked on at once', positiveOption, 4)
    .addHelpText(
      'after',
      examples(around.programName, [
        'operator',
        'operator --kubeconfig operator.kubeconfig --metrics-address 127.0.0.1:9797',
      ]),
    )
    .action(async (_own, command: Command) => {
      const { operator } = await import('./operator.ts');
      outcome.exitCode = await operator(command.optsWithGlobals<Parameters<typeof operator>[0]>(), around);
    });
}

function positiveOption(text: string): number {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 to 999.');
  return Number(text);
}
