/** Puts the program together from its commands. What a command does is loaded only when it is called. */
import { Command } from 'commander';
import { actCommands } from './act-commands.ts';
import { type Outcome, withExamples, withUsageHint } from './command-parts.ts';
import { lookCommands } from './look-commands.ts';
import { prepareCommands } from './prepare-commands.ts';
import { runCommands } from './run-commands.ts';
import type { Surroundings } from './session.ts';
import { programVersion } from './version.ts';

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
    .usage('<command> [options]')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.draw(text), writeErr: (text) => terminal.complain(text.trimEnd()) })
    .configureHelp({ showGlobalOptions: true });
  withUsageHint(program, programName);
  withExamples(program, programName, [
    'check',
    'init checkout -n shop',
    'get -A',
    'watch checkout',
    'explain checkout',
    'abort checkout --reason "checkout errors"',
  ]).addHelpText('after', exitCodes);
  program.commandsGroup('Before a release:');
  for (const command of prepareCommands(around, outcome)) add(program, command);
  program.commandsGroup('During and after a release:');
  for (const command of [...lookCommands(around, outcome), ...actCommands(around, outcome)]) add(program, command);
  program.commandsGroup('Serin itself:');
  for (const command of runCommands(around, outcome)) add(program, command);
  return program;
}

const exitCodes = `
Exit codes: 0 done, 1 error, 2 wrong usage, 3 rolled back, 4 refused or a person is needed, 5 timed out, 6 not found or forbidden.
`;

/** A command that was made apart from its program does not inherit its settings by itself. */
function add(program: Command, command: Command): void {
  program.addCommand(command.copyInheritedSettings(program));
  withUsageHint(command, `${program.name()} ${command.name()}`);
}
