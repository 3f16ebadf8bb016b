/** Owns name, options and help of `serin simulate`; what it does is loaded when it is called. */
import { Command } from 'commander';
import { outputOption, type Outcome, positiveOption, wholeOption, withExamples } from './command-parts.ts';
import type { Surroundings } from './session.ts';

export function simulateCommand(around: Surroundings, outcome: Outcome): Command {
  const command = new Command('simulate')
    .description(
      'Play a release of a scenario file many times in virtual time, by the rules of the operator; it needs no cluster.',
    )
    .argument('<file>', 'the scenario: traffic, what the new version fails, steps; "-" is standard input')
    .option('--runs <count>', 'how many releases, instead of what the file says', positiveOption)
    .option('--seed <number>', 'what their chance is drawn from, instead of what the file says', wholeOption)
    .option('--draw <number>', 'which of them is drawn, counted from 1', positiveOption, 1)
    .option('--svg <file>', 'write the picture of that release into a file')
    .option('--exit-status', 'end with the most frequent outcome as exit code')
    .addOption(outputOption(['json', 'yaml']))
    .addHelpText('after', exitCodes)
    .action(async (file: string, _own, self: Command) => {
      const { simulate } = await import('./simulate.ts');
      outcome.exitCode = await simulate(file, self.optsWithGlobals<Parameters<typeof simulate>[1]>(), around);
    });
  return withExamples(command, around.programName, [
    'simulate examples/simulate/five-percent.yaml',
    'simulate examples/simulate/healthy.yaml --runs 500 --seed 3',
    'simulate examples/simulate/five-percent.yaml --draw 7 --svg release.svg',
    'simulate examples/simulate/slow.yaml -o json',
  ]);
}

const exitCodes = `
Exit codes: 0 played, 1 the file is no scenario; with --exit-status 0 promoted, 3 rolled back, 4 a person is needed.
`;
