/** Owns what all commands share: examples, the options that several of them take, and one line for wrong usage. It knows no command. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../api/duration.ts';

/** Where a command leaves its exit code. */
export interface Outcome {
  exitCode: number;
}

const examplesByCommand = new WeakMap<Command, readonly string[]>();

/** Shows `lines` below the help of the command, as a user types them, without the name of the program. */
export function withExamples(command: Command, programName: string, lines: readonly string[]): Command {
  examplesByCommand.set(command, lines);
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${programName} ${line}`).join('\n')}\n`);
}

/** The lines given to `withExamples`: tests run them. */
export function examplesOf(command: Command): readonly string[] {
  return examplesByCommand.get(command) ?? [];
}

/**
 * Wrong usage is one line that says what was wrong, what was probably meant and where to look. `path`: how the user calls
 * the command, such as "serin get".
 */
export function withUsageHint(command: Command, path: string): Command {
  return command.configureOutput({
    outputError(text, write) {
      const [said = '', meant] = text.trimEnd().split('\n');
      const question = /\(Did you mean (.+)\?\)/.exec(meant ?? '')?.[1];
      const guess = question === undefined ? '' : ` Did you mean ${question}?`;
      write(`${said.replace(/\.$/, '')}.${guess} See "${path} --help".\n`);
    },
  });
}

export function outputOption(choices: readonly string[]): Option {
  return new Option('-o, --output <format>', 'how the answer is written').choices(choices);
}

export function durationOption(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof RangeError ? error.message : String(error));
  }
}

export function shareOption(text: string): number {
  if (!/^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$/.test(text)) throw new InvalidArgumentError('Write a share from 0 to 1.');
  return Number(text);
}

export function wholeOption(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}

export function positiveOption(text: string): number {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 to 999.');
  return Number(text);
}
