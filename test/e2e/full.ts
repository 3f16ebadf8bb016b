/**
 * `npm run e2e:full`: plays every story on the real cluster with real traffic and writes docs/measured.md.
 *
 *     node test/e2e/full.ts [--fresh] [--case NAME]… [--at-once N] [--program FILE]
 *
 * Results are kept in .e2e/, one file a story: a run that was stopped goes on, --fresh begins again.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../build/bundle.ts';
import { stories } from './cases/all.ts';
import { openGround, resultsDirectory } from './harness/ground.ts';
import type { Ground } from './harness/ground.ts';
import { isComplete, playStory, problemsOf } from './harness/play.ts';
import type { Result } from './harness/play.ts';
import { reportFile, writeReport } from './harness/report.ts';
import type { Story } from './harness/story.ts';

const { values } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true, default: [] },
    'at-once': { type: 'string', default: '3' },
    program: { type: 'string' },
  },
});

function say(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

/** Stories that disturb nobody are played side by side, the others alone. */
async function playAll(ground: Ground, chosen: readonly Story[], atOnce: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const [isAlone, lanes] of [
    [false, atOnce],
    [true, 1],
  ] as const) {
    const waiting = chosen.filter(({ alone }) => alone === isAlone).toSorted((a, b) => b.minutes - a.minutes);
    const lane = async (): Promise<void> => {
      for (let story = waiting.shift(); story !== undefined; story = waiting.shift())
        results.push(await playStory(ground, story, say));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }
  return results;
}

/** The bundle that users run, built from the sources as they are now; a copy of its own, which nobody replaces meanwhile. */
async function programToTry(): Promise<string> {
  if (values.program !== undefined) return values.program;
  const root = new URL('../../', import.meta.url);
  const outfile = new URL('.e2e/serin.js', root);
  await bundle(root, outfile);
  return outfile.pathname;
}

/**
 * What measures and what is measured come first on a machine that others use too. Where the kernel groups processes by
 * session, the group's priority counts and not the process's. Without the right to that, all stays as it is.
 */
function comeFirst(): void {
  try {
    setPriority(-10);
    writeFileSync('/proc/self/autogroup', '-10');
  } catch {
    say('no right to a higher priority: a busy machine may spoil the figures');
  }
}

async function main(): Promise<number> {
  comeFirst();
  const unknown = values.case.filter((name) => !stories.some((story) => story.name === name));
  if (unknown.length > 0) {
    console.error(`no story is called ${unknown.join(', ')}; there are ${stories.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = stories.filter(({ name }) => values.case.length === 0 || values.case.includes(name));
  if (values.fresh) for (const { name } of chosen) rmSync(join(resultsDirectory, `${name}.json`), { force: true });
  const withUnleash = chosen.some(({ scene }) => scene.withFlag !== undefined);
  const ground = await openGround(await programToTry(), say, { withUnleash });
  if ('unavailable' in ground) {
    console.error(`The stories were not played: ${ground.unavailable}`);
    return process.env['SERIN_TEST_CLUSTER'] === 'required' ? 1 : 0;
  }
  const results = await playAll(ground, chosen, Number(values['at-once']));
  writeReport(ground, stories);
  await ground.close();
  for (const result of results) for (const problem of problemsOf(result)) say(`${result.name} ${problem}`);
  const failed = results.filter((result) => !isComplete(storyOf(result), result));
  say(`${results.length - failed.length} of ${results.length} stories hold; ${reportFile}`);
  return failed.length === 0 ? 0 : 1;
}

function storyOf({ name }: Result): Story {
  const story = stories.find((one) => one.name === name);
  if (story === undefined) throw new Error(`a result of the unknown story ${name}`);
  return story;
}

process.exit(await main());
