/** Owns names, options and help of the acts of people on a release; each is one object that says who asked for what. */
import { Command, Option } from 'commander';
import { type Act, commandOf, isAboutOneRevision } from './act-words.ts';
import { durationOption, type Outcome, withExamples } from './command-parts.ts';
import type { GlobalOptions, Surroundings } from './session.ts';

export function actCommands(around: Surroundings, outcome: Outcome): Command[] {
  return acts.map((act) => actCommand(act, around, outcome));
}

const acts: readonly { readonly name: Act; readonly description: string }[] = [
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
  {
    name: 'restoreFlags',
    description: 'Put back every feature flag that Serin changed because of harm and that stays as it changed it.',
  },
];

function actCommand({ name, description }: (typeof acts)[number], around: Surroundings, outcome: Outcome): Command {
  const whose = name === 'retry' ? 'the newest quarantined one' : 'the one under release';
  const command = new Command(commandOf(name)).description(description).argument('<name>', 'the Rollout');
  if (isAboutOneRevision(name))
    command.option(
      '--revision <hash>',
      `the revision that is meant, or a beginning of it that fits no other (default: ${whose})`,
    );
  command
    .option('--reason <text>', 'why, for those who read it later')
    .option('--no-wait', 'do not wait for the answer')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the answer')
        .argParser(durationOption)
        .default(30_000, '30s'),
    )
    .action(async (rollout: string, _own, self: Command) => {
      const { act } = await import('./act.ts');
      const options = self.optsWithGlobals<
        GlobalOptions & { revision?: string; reason?: string; wait: boolean; timeout: number }
      >();
      outcome.exitCode = await act(name, rollout, { ...options, timeoutMs: options.timeout }, around);
    });
  return withExamples(command, around.programName, [
    `${commandOf(name)} checkout -n shop --reason "checked the logs"`,
    ...(isAboutOneRevision(name) ? [`${name} checkout --revision 7f9c`] : []),
  ]);
}
