/** `npm run e2e`: the four stories that every change is tried on, with real traffic; two shops side by side, to be done in minutes. */
import { join } from 'node:path';
import { playBadRelease } from './cases/bad.ts';
import { duringGood } from './cases/forced-apply.ts';
import { playGoodRelease } from './cases/good.ts';
import { playOneKill } from './cases/kill.ts';
import { notRun } from '../cluster/needs.ts';
import { openGround, repository } from './harness/ground.ts';
import { Scene } from './harness/scene.ts';
import type { Row } from './harness/story.ts';

const ground = await openGround(join(repository, 'src', 'main.ts'), (line) => console.log(line));

const scenes: Scene[] = [];

/** Plays in turn on one shop; a story that fails by an error leaves the next one to fail for itself. */
async function playInTurn(
  name: string,
  plays: readonly ((scene: Scene) => Promise<Row>)[],
): Promise<PromiseSettledResult<Row>[]> {
  if ('unavailable' in ground) return [];
  const scene = await Scene.open(ground, name, { start: 'attached', bake: '5s' });
  scenes.push(scene);
  const results: PromiseSettledResult<Row>[] = [];
  for (const play of plays) results.push(...(await Promise.allSettled([play(scene)])));
  return results;
}

/** Fails with every problem in its message, and with what there was to see. */
function expectNoProblems(result: PromiseSettledResult<Row> | undefined): void {
  if (result?.status === 'rejected') throw result.reason;
  const problems = result?.value.problems ?? ['the story was not played: the shop could not be opened'];
  expect(problems).toEqual([]);
}

if ('unavailable' in ground) {
  test.skip(notRun('the stories with real traffic', ground.unavailable), () => undefined);
} else {
  describe('with real pods, a real gateway, a real Prometheus and 100 requests a second', () => {
    let first: PromiseSettledResult<Row>[] = [];
    let second: PromiseSettledResult<Row>[] = [];

    beforeAll(async () => {
      [first, second] = await Promise.all([
        playInTurn('quick-a', [playGoodRelease, (scene) => playBadRelease(scene, 0.5)]),
        playInTurn('quick-b', [playOneKill, duringGood]),
      ]);
    }, 6 * 60_000);

    afterAll(async () => {
      await Promise.allSettled(scenes.map((scene) => scene.close()));
      await ground.close();
    }, 60_000);

    test('a good version is promoted, no request is lost and each of its pods is created once', () => {
      expectNoProblems(first[0]);
    });

    test('a version that fails half of its requests is rolled back, and the message names rates, counts and evidence', () => {
      expectNoProblems(first[1]);
    });

    test('an operator that is killed in the middle of a release is restarted and goes on as if nothing had happened', () => {
      expectNoProblems(second[0]);
    });

    test('a forced apply of everything that stands in Git, at each stage, loses nothing and raises no weight', () => {
      expectNoProblems(second[1]);
    });
  });
}
