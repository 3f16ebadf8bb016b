/**
 * Plays stories and keeps each result in a file, so that a run that was stopped goes on where it was. What failed is played
 * again by the next run, and stays in the result as a failure: it is never forgotten that it happened.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultsDirectory } from './ground.ts';
import type { Ground } from './ground.ts';
import { Scene } from './scene.ts';
import type { Row, Story } from './story.ts';

export interface Result {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly tookMs: number;
  /** What was wrong in earlier runs, where the same was played again since. */
  readonly earlier?: readonly string[];
}

/** What was played of a story, if anything was. */
export function readResult(name: string): Result | undefined {
  const file = join(resultsDirectory, `${name}.json`);
  if (!existsSync(file)) return undefined;
  const result: Result = JSON.parse(readFileSync(file, 'utf8'));
  return result;
}

function keep(result: Result): void {
  mkdirSync(resultsDirectory, { recursive: true });
  const file = join(resultsDirectory, `${result.name}.json`);
  writeFileSync(`${file}.new`, `${JSON.stringify(result, undefined, 1)}\n`);
  renameSync(`${file}.new`, file);
}

export function problemsOf(result: Result): string[] {
  return result.rows.flatMap(({ problems }, index) => problems.map((problem) => `#${index + 1}: ${problem}`));
}

export function isComplete(story: Story, result: Result | undefined): boolean {
  return result !== undefined && result.rows.length >= story.times && problemsOf(result).length === 0;
}

/** Plays what is missing of a story. `say` gets one line for each playing. */
export async function playStory(ground: Ground, story: Story, say: (line: string) => void): Promise<Result> {
  const before = readResult(story.name);
  if (before !== undefined && isComplete(story, before)) {
    say(`${story.name}: kept, ${before.rows.length} of ${story.times}`);
    return before;
  }
  let result: Result = before ?? { name: story.name, rows: [], tookMs: 0 };
  let scene: Scene | undefined;
  for (const index of missing(story, result)) {
    const startedAtMs = Date.now();
    const played = await playOnce(ground, story, scene, index);
    scene = played.scene;
    const tookMs = Date.now() - startedAtMs;
    result = withRow({ ...result, tookMs: result.tookMs + tookMs }, index, played.row);
    keep(result);
    say(line(story, index, played.row, tookMs));
  }
  return scene === undefined ? result : closed(scene, result);
}

/** Which times are to be played: those that failed in an earlier run, and those that were never played. */
function missing(story: Story, { rows }: Result): number[] {
  const all = Array.from({ length: story.times }, (_, index) => index);
  return all.filter((index) => rows[index] === undefined || rows[index].problems.length > 0);
}

/** Puts a row in its place. What was wrong there before is remembered by its first line. */
function withRow(result: Result, index: number, row: Row): Result {
  const before = (result.rows[index]?.problems ?? []).map((problem) => problem.split('\n')[0] ?? '');
  const rows = [...result.rows];
  rows[index] = row;
  return { ...result, rows, earlier: [...(result.earlier ?? []), ...before] };
}

/** A scene that cannot be taken away in order, as by an operator that does not end, is a failure of its story. */
async function closed(scene: Scene, result: Result): Promise<Result> {
  try {
    await scene.close();
    return result;
  } catch (error) {
    const last = result.rows.at(-1);
    const problems = [...(last?.problems ?? []), `taking the scene away failed: ${String(error)}`];
    const failed = { ...result, rows: [...result.rows.slice(0, -1), { ...last, problems }] };
    keep(failed);
    return failed;
  }
}

interface Played {
  readonly row: Row;
  /** The scene to go on with; none after a failure, which may have left anything behind. */
  readonly scene: Scene | undefined;
}

async function playOnce(ground: Ground, story: Story, open: Scene | undefined, index: number): Promise<Played> {
  let scene = open;
  try {
    scene ??= await Scene.open(ground, story.name, story.scene);
    const row = await story.play(scene, index);
    if (row.problems.length === 0) return { row, scene };
    return { row: { ...row, diagnosis: await end(scene) }, scene: undefined };
  } catch (error) {
    const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { row: { problems: [sentence], diagnosis: await end(scene) }, scene: undefined };
  }
}

/** Notes what there is to see, then takes the scene away; what goes wrong meanwhile is part of the diagnosis. */
async function end(scene: Scene | undefined): Promise<string> {
  if (scene === undefined) return 'the scene could not be opened';
  const diagnosis = `namespace ${scene.namespace}\n${scene.diagnosis()}`;
  try {
    await scene.close();
    return diagnosis;
  } catch (error) {
    return `${diagnosis}\nand closing the scene failed: ${String(error)}`;
  }
}

function line(story: Story, index: number, { problems, ...measures }: Row, tookMs: number): string {
  const outcome = problems.length === 0 ? 'ok' : `FAILED ${problems.join(' | ')}`;
  const words = Object.entries(measures).flatMap(([name, value]) => {
    if (typeof value === 'number') return `${name} ${Math.round(value * 10) / 10}`;
    return typeof value === 'string' && name !== 'diagnosis' ? `${name} ${value}` : [];
  });
  return `${story.name} ${index + 1}/${story.times} (${Math.round(tookMs / 1000)} s): ${outcome}; ${words.join(', ')}`;
}
