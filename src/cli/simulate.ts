/** `serin simulate`: plays the release of a scenario file many times in virtual time and says how it ends. It needs no cluster. */
import { writeFile } from 'node:fs/promises';
import { EXIT } from '../api/reasons.ts';
import { playRun, type Run } from '../simulation/release/run.ts';
import { readScenario, type Scenario, ScenarioError } from '../simulation/release/scenario.ts';
import { type Summary, summaryOf } from '../simulation/release/summary.ts';
import { CliError } from './failure.ts';
import { type DataFormat, formatted } from './output.ts';
import type { Surroundings } from './session.ts';
import { simulationLines } from './simulate-text.ts';
import { releaseSvg } from './simulate-svg.ts';

export interface SimulateOptions {
  /** Instead of what the file says. */
  readonly runs?: number | undefined;
  readonly seed?: number | undefined;
  /** Which of the releases is drawn, counted from 1. */
  readonly draw: number;
  /** Where its picture is written. */
  readonly svg?: string | undefined;
  readonly output?: DataFormat | undefined;
  readonly exitStatus?: boolean | undefined;
}

/** Exit code 1 when the file is no scenario; with `exitStatus` that of the most frequent end: 0 promoted, 3 back, 4 a person. */
export async function simulate(file: string, options: SimulateOptions, around: Surroundings): Promise<number> {
  const written = scenarioIn(await around.readText(file), file);
  const { runs = written.runs, seed = written.seed } = options;
  if (options.draw > runs)
    throw new CliError(`release ${options.draw} cannot be drawn: there are only ${runs}`, EXIT.usage);
  const scenario: Scenario = { ...written, runs, seed };
  const played = playAll(scenario, around);
  const drawn = played[options.draw - 1];
  if (drawn === undefined) throw new CliError('no release was played');
  const summary = summaryOf(played);
  if (options.svg !== undefined) await writeFile(options.svg, releaseSvg(drawn, scenario));
  around.terminal.print(
    options.output === undefined
      ? simulationLines(scenario, summary, drawn, options.draw, around.terminal).join('\n')
      : formatted({ scenario, summary, drawn: { number: options.draw, ...drawn } }, options.output),
  );
  return options.exitStatus === true ? exitCodeOf(summary) : EXIT.done;
}

function scenarioIn(text: string, file: string): Scenario {
  try {
    return readScenario(text);
  } catch (error) {
    if (error instanceof ScenarioError) throw new CliError(`${file} is no scenario: ${error.message}`);
    throw error;
  }
}

/** Each release has its own chance, and with the same seed the same. */
function playAll({ runs, seed, ...rest }: Scenario, { terminal, clock }: Surroundings): readonly Run[] {
  const played: Run[] = [];
  let shownMs = clock.monotonicMs();
  for (let run = 0; run < runs; run += 1) {
    played.push(playRun({ ...rest, runs, seed }, seed * 10_007 + run));
    if (terminal.isInteractive && clock.monotonicMs() - shownMs > 200) {
      shownMs = clock.monotonicMs();
      terminal.draw(`\r${run + 1} of ${runs} releases\u001B[K`);
    }
  }
  if (terminal.isInteractive) terminal.draw('\r\u001B[K');
  return played;
}

function exitCodeOf({ ends }: Summary): number {
  const outcome = ends[0]?.outcome;
  if (outcome === 'Promoted') return EXIT.done;
  return outcome === 'RolledBack' || outcome === 'NotJudged' ? EXIT.rolledBack : EXIT.needsPerson;
}
