/** The Rollout is deleted in the middle of a release, in both ways in which clients do it: everything goes back to stable. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rolloutKind } from '../../../src/api/kinds.ts';
import { countLost, sum } from '../harness/measure.ts';
import { untilStage, untilWeight } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { shopName } from '../harness/shop.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const afterwardsMs = 15_000;

export const deleteBackground = deleteStory('delete-background', 'Background');
export const deleteForeground = deleteStory('delete-foreground', 'Foreground');

function deleteStory(name: string, propagation: 'Background' | 'Foreground'): Story {
  return {
    name,
    title: `The Rollout deleted at 25 %, ${propagation.toLowerCase()}`,
    times: 1,
    alone: false,
    minutes: 2,
    scene: { start: 'attached' },
    play: (scene) => play(scene, propagation),
    figures: (rows) => {
      const lost = sum(numbersOf(rows, 'lost'));
      const stray = sum(numbersOf(rows, 'stray'));
      return [
        goal('requests lost', `${lost}`, '0', lost === 0),
        goal('answers of the new version after the Rollout was gone', `${stray}`, '0', stray === 0),
        told('from the deletion until the Rollout was gone', seconds(sum(numbersOf(rows, 'goneAfterMs')))),
        told('what is left', rows.map((row) => textOf(row, 'left')).join('; ')),
      ];
    },
  };
}

async function play(scene: Scene, propagation: 'Background' | 'Foreground'): Promise<Row> {
  const { watcher, git, ground, namespace } = scene;
  const checks = new Checks();
  const stable = git.version;
  const { name: version, ...next } = scene.nextVersion();
  const fromMs = await git.release(next);
  await untilStage(scene, version, 'step', 1, 150_000);
  await untilWeight(scene, 25, 30_000);
  await sleep(2000);
  const deletedAtMs = Date.now();
  await ground.admin.delete(rolloutKind, { namespace, name: shopName }, { propagation });
  await watcher.until('the Rollout to be gone', () => watcher.rollout === undefined, 90_000);
  const goneAtMs = Date.now();
  await sleep(afterwardsMs);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: Date.now() }, checks);
  const stray = load.answersOf(version, { from: goneAtMs }).length;
  const left = leftovers(scene);
  checks.expect(
    stray === 0,
    `${stray} answers were of ${version} after the Rollout was gone; v${stable.number} is stable`,
  );
  checks.expect(left.length === 0, `left behind: ${left.join(', ')}`);
  checks.expect(
    watcher.deployment?.spec.paused === true,
    'the Deployment was resumed, which starts the unreleased template',
  );
  const state = `the Deployment paused with the unreleased template${left.length === 0 ? '' : `, ${left.join(', ')}`}`;
  return { problems: checks.problems, lost, stray, goneAfterMs: goneAtMs - deletedAtMs, left: state };
}

/** Traces of Serin in the namespace, but for ReleaseRecords, which are history. */
function leftovers({ watcher }: Scene): string[] {
  const marked = [
    ...watcher.services,
    ...watcher.replicaSets,
    ...(watcher.deployment === undefined ? [] : [watcher.deployment]),
  ];
  const traces = marked.flatMap(({ kind, metadata }) =>
    [...Object.keys(metadata.labels ?? {}), ...Object.keys(metadata.annotations ?? {})]
      .filter((key) => key.startsWith('serin.dev/'))
      .map((key) => `${kind} ${metadata.name} with ${key}`),
  );
  const pins = watcher.services.filter(({ spec }) => spec.selector?.['pod-template-hash'] !== undefined);
  const backends = watcher.route?.spec.rules?.flatMap((rule) => rule.backendRefs ?? []) ?? [];
  return [
    ...traces,
    ...pins.map(({ metadata }) => `Service ${metadata.name} pinned`),
    ...backends.filter(({ name }) => name !== shopName).map(({ name }) => `route to ${name}`),
  ];
}
