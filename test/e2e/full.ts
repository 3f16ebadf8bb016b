/**
 * `npm run e2e:full`: plays every story on the real cluster with real traffic and writes docs/measured.md.
 *
 *     node test/e2e/full.ts [--fresh] [--case NAME]… [--at-once N] [--program FILE]
 *
 * Results are kept in .e2e/, one file a story: a run that was stopped goes on, --fresh begins again.
 */
import { rmSync } from 'node:fs';
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
    'at-once': { type: 'string', default: '4' },
    program: { type: 'string' },
  },
});

function say(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

/** Stories that disturb nobody are played side by side, the others alone. */
async function playAll(ground: Ground, chosen: readonly Story[], atOnce: number): Promise<Result[]> {
  const waiting = chosen.filter(({ alone }) => !alone);
  const results: Result[] = [];
  const lane = async (): Promise<void> => {
    for (let story = waiting.shift(); story !== undefined; story = waiting.shift())
      results.push(await playStory(ground, story, say));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  for (const story of chosen.filter(({ alone }) => alone)) results.push(await playStory(ground, story, say));
  return results;
}

/** The bundle that users run, built from the sources as they are now. */
async function programToTry(): Promise<string> {
  if (values.program !== undefined) return values.program;
  const root = new URL('../../', import.meta.url);
  const outfile = new URL('dist/serin.js', root);
  await bundle(root, outfile);
  return outfile.pathname;
}

async function main(): Promise<number> {
  const unknown = values.case.filter((name) => !stories.some((story) => story.name === name));
  if (unknown.length > 0) {
    console.error(`no story is called ${unknown.join(', ')}; there are ${stories.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = stories.filter(({ name }) => values.case.length === 0 || values.case.includes(name));
  if (values.fresh) for (const { name } of chosen) rmSync(join(resultsDirectory, `${name}.json`), { force: true });
  const ground = await openGround(await programToTry(), say);
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
