/** Owns names, options and help of the commands that only look; what they do is loaded when they are called. */
import { Command } from 'commander';
import { durationOption, outputOption, type Outcome, withExamples } from './command-parts.ts';
import type { GlobalOptions, Surroundings } from './session.ts';

export function lookCommands(around: Surroundings, outcome: Outcome): Command[] {
  return [getCommand, watchCommand, explainCommand].map((make) => make(around, outcome));
}

function getCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('get')
    .description('List Rollouts.')
    .argument('[names...]', 'Rollouts to show; without names all of the namespace')
    .option('-A, --all-namespaces', 'in all namespaces')
    .addOption(outputOption(['json', 'yaml', 'wide', 'name']))
    .action(async (names: readonly string[], _own, self: Command) => {
      const { get } = await import('./get.ts');
      outcome.exitCode = await get(names, self.optsWithGlobals<Parameters<typeof get>[1]>(), around);
    });
  return withExamples(command, around.programName, ['get', 'get -A -o wide', 'get checkout -n shop -o yaml']);
}

function watchCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('watch')
    .description('Follow a Rollout: live on a terminal, one line a change in a pipe.')
    .argument('<name>', 'the Rollout')
    .option(
      '--exit-status',
      'end when the release has ended, with its outcome as exit code: 0 released, 3 rolled back, 4 a person is needed',
    )
    .option('--timeout <duration>', 'end after this time with exit code 5, for example 30m', durationOption)
    .action(async (name: string, _own, self: Command) => {
      const { watch } = await import('./watch.ts');
      const options = self.optsWithGlobals<GlobalOptions & { exitStatus?: boolean; timeout?: number }>();
      outcome.exitCode = await watch(
        name,
        { ...options, exitStatus: options.exitStatus === true, timeoutMs: options.timeout },
        around,
      );
    });
  return withExamples(command, around.programName, [
    'watch checkout -n shop',
    'watch checkout --exit-status --timeout 30m',
  ]);
}

function explainCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('explain')
    .description('Tell what a Rollout is doing and why: evidence, what is waited for, history, quarantined revisions.')
    .argument('[name]', 'the Rollout; not needed with --replay')
    .addOption(outputOption(['json', 'yaml']))
    .option('--bundle', 'print what the verdict was reached from, to keep it: counts, settings, checksum')
    .option(
      '--replay <file>',
      'go through such a bundle again: exit code 0 if the verdict is the same, bit for bit, else 1',
    )
    .action(async (name: string | undefined, _own, self: Command) => {
      const { explain } = await import('./explain.ts');
      outcome.exitCode = await explain(name, self.optsWithGlobals<Parameters<typeof explain>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'explain checkout',
    'explain checkout -n shop --bundle',
    'explain --replay verdict.json',
  ]);
}
