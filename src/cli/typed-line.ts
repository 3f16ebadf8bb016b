/** Reads a command line that is still being typed: which command it is, and what the last word may become. It asks nobody. */
import type { Argument, Command, Option } from 'commander';

/** What the last word is. `prefix`: as far as it was typed. */
export type Typing =
  | { readonly kind: 'command'; readonly prefix: string }
  | { readonly kind: 'option'; readonly prefix: string; readonly options: readonly Option[] }
  | { readonly kind: 'value'; readonly prefix: string; readonly option: Option }
  | {
      readonly kind: 'argument';
      readonly prefix: string;
      readonly argument: Argument;
      /** Arguments before it: a name that stands there already is not offered again. */
      readonly given: readonly string[];
    }
  | { readonly kind: 'nothing' };

export interface TypedLine {
  readonly typing: Typing;
  /** Values of options so far, by their long name without dashes: "namespace". */
  readonly values: Readonly<Record<string, string>>;
}

interface Reading {
  command: Command;
  /** The program itself: its subcommand was not typed yet. */
  isProgram: boolean;
  given: string[];
  values: Record<string, string>;
  awaiting: Option | undefined;
  /** After "--" nothing is an option. */
  onlyArguments: boolean;
}

/** `words`: all after the name of the program; the last one is being typed and may be empty. */
export function readTypedLine(program: Command, words: readonly string[]): TypedLine {
  const reading: Reading = {
    command: program,
    isProgram: true,
    given: [],
    values: {},
    awaiting: undefined,
    onlyArguments: false,
  };
  for (const word of words.slice(0, -1)) take(reading, word, program);
  return { typing: typingOf(reading, words.at(-1) ?? '', program), values: reading.values };
}

function take(reading: Reading, word: string, program: Command): void {
  const { awaiting } = reading;
  if (awaiting !== undefined) {
    reading.values[awaiting.attributeName()] = word;
    reading.awaiting = undefined;
  } else if (word === '--') {
    reading.onlyArguments = true;
  } else if (isOption(word, reading)) {
    takeOption(reading, word, program);
  } else if (reading.isProgram) {
    const found = program.commands.find((command) => command.name() === word);
    if (found !== undefined) Object.assign(reading, { command: found, isProgram: false });
  } else {
    reading.given.push(word);
  }
}

function takeOption(reading: Reading, word: string, program: Command): void {
  const [flag = '', value] = word.startsWith('--') ? word.split(/=(.*)/s) : [word.slice(0, 2), word.slice(2)];
  const option = optionsOf(reading, program).find((one) => one.long === flag || one.short === flag);
  if (option === undefined || !takesValue(option)) return;
  if (value === undefined || value === '') reading.awaiting = option;
  else reading.values[option.attributeName()] = value;
}

function typingOf(reading: Reading, prefix: string, program: Command): Typing {
  const { awaiting, command, given } = reading;
  if (awaiting !== undefined) return { kind: 'value', prefix, option: awaiting };
  if (isOption(prefix, reading)) {
    const options = optionsOf(reading, program);
    const [flag, value] = prefix.split(/=(.*)/s);
    const option = value === undefined ? undefined : options.find((one) => one.long === flag && takesValue(one));
    return option === undefined || value === undefined
      ? { kind: 'option', prefix, options }
      : { kind: 'value', prefix: value, option };
  }
  if (reading.isProgram) return { kind: 'command', prefix };
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[given.length] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? { kind: 'nothing' } : { kind: 'argument', prefix, argument, given };
}

function isOption(word: string, { onlyArguments }: Reading): boolean {
  return word.startsWith('-') && !onlyArguments;
}

function optionsOf({ command, isProgram }: Reading, program: Command): readonly Option[] {
  const own = command.createHelp().visibleOptions(command);
  return isProgram ? own : [...own, ...program.createHelp().visibleOptions(program).filter(isGlobal)];
}

/** Version and help of the program are not those of a command. */
function isGlobal(option: Option): boolean {
  return takesValue(option);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}
