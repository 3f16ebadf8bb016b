/** The serin program: finds the command, runs it, answers with an exit code. Each command is loaded only when it is called. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Command, CommanderError } from 'commander';
import { EXIT } from '../api/reasons.ts';
import { systemClock } from '../kube/clock.ts';
import { commandLine } from './commands.ts';
import { failureOf } from './failure.ts';
import type { Surroundings } from './session.ts';
import { terminalOn } from './terminal.ts';
import { programVersion } from './version.ts';

/** Runs one command line and gives the exit code of the process; never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', leaveQuietly);
  return run(argv.slice(2), {
    terminal: terminalOn({ out: process.stdout, err: process.stderr, env: process.env }),
    clock: systemClock,
    random: Math.random,
    programName: programNameOf(argv[1]),
    async open(options) {
      const { openSession } = await import('./open-session.ts');
      return openSession(options, systemClock, programVersion);
    },
    readText: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  });
}

/** The same with everything it touches given from outside; `args` without program and file name. */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  const outcome = { exitCode: EXIT.done as number };
  const program = commandLine(around, outcome);
  try {
    if (args.length === 0) program.outputHelp();
    // How shells ask; no command, because what follows is a line that is still being typed.
    else if (args[0] === 'complete' && args[1] === '--') return await completeLine(args.slice(2), program, around);
    else await program.parseAsync([...args], { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { line, exitCode } = failureOf(error, around.programName);
    around.terminal.complain(line);
    return exitCode;
  }
}

async function completeLine(words: readonly string[], program: Command, around: Surroundings): Promise<number> {
  const { complete } = await import('./complete.ts');
  return complete(words, program, around);
}

/** A plugin of kubectl is called by its own name; people typed "kubectl serin". */
export function programNameOf(path: string | undefined): string {
  return basename(path ?? '').startsWith('kubectl-serin') ? 'kubectl serin' : 'serin';
}

/** `serin get | head -1`: the reader has enough, which is no error. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
}
