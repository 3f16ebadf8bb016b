/** Releases of a version that fails: how quickly its share falls, how many bad answers users got, and what the message says. */
import { routeWrites } from '../harness/audit.ts';
import { countLost, maximum, measureBadRelease, median, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Figure, Row, Story } from '../harness/story.ts';

const scrapeMs = 5000;
const firstWeightPercent = 10;

export const bad50: Story = {
  name: 'bad50',
  title: 'Bad releases, half of the answers 500, found at 10 %',
  times: 10,
  alone: false,
  minutes: 9,
  scene: { start: 'attached' },
  play: (scene) => playBadRelease(scene, 0.5),
  figures: (rows) => {
    const answers = numbersOf(rows, 'badAnswers');
    return [
      ...times(rows, true),
      goal('bad answers served, median', `${median(answers)}`, 'at most 45', median(answers) <= 45),
      goal('bad answers served, most', `${maximum(answers)}`, 'none above 90', maximum(answers) <= 90),
      ...common(rows),
    ];
  },
  details,
};

export const bad5: Story = {
  name: 'bad5',
  title: 'Bad releases, 5 % of the answers 500',
  times: 10,
  alone: false,
  minutes: 9,
  scene: { start: 'attached' },
  play: (scene) => playBadRelease(scene, 0.05),
  figures: (rows) => {
    const answers = numbersOf(rows, 'badAnswers');
    return [
      goal('bad answers served, median', `${median(answers)}`, 'at most 15', median(answers) <= 15),
      told('bad answers served, most', `${maximum(answers)}`),
      ...times(rows, false),
      ...common(rows),
    ];
  },
  details,
};

/** Releases a version that fails this part of its requests, until it is rolled back and its pods are gone. */
export async function playBadRelease(scene: Scene, errorRate: number): Promise<Row> {
  const checks = new Checks();
  const { name: version, ...next } = scene.nextVersion(errorRate);
  const fromMs = await scene.git.release(next);
  const ending = await untilEnded(scene, version, 240_000);
  const load = scene.load.snapshot();
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, checks);
  const seen = measureBadRelease(load, version, firstWeightPercent, { fromMs, toMs: ending.atMs });
  checks.expect(ending.kind === 'rolledBack', `${version} was promoted although it fails: ${ending.message}`);
  checks.expect(seen !== undefined, `${version} gave no bad answer at all`);
  const reason = rejectionOf(scene, version);
  checks.expect(
    /%/.test(reason) && /\d+ of \d+/.test(reason) && /evidence|\d ?: ?1/i.test(reason),
    `the message does not name rates, counts and evidence: "${reason}"`,
  );
  const lowerings = routeWrites(scene.audit()).filter((write, index, all) => {
    const before = all[index - 1]?.canaryPercent ?? 0;
    return write.atMs >= fromMs && write.canaryPercent < before;
  });
  const firstBadAtMs = seen?.firstBadAtMs ?? Number.NaN;
  return {
    problems: checks.problems,
    lost,
    ...seen,
    routeWrites: lowerings.map(
      ({ atMs, canaryPercent }) => `${seconds(atMs - firstBadAtMs)} → ${canaryPercent.toFixed(1)}%`,
    ),
    tookMs: ending.atMs - fromMs,
    late: load.totals.late,
    message: reason,
  };
}

/** The sentence that people find beside the rejected revision. */
function rejectionOf(scene: Scene, version: string): string {
  const hash = scene.watcher.setOf(version)?.metadata.labels?.['pod-template-hash'];
  return scene.watcher.status.quarantined?.find((one) => one.hash === hash)?.message ?? '';
}

function times(rows: readonly Row[], hasGoal: boolean): readonly Figure[] {
  const lowered = median(numbersOf(rows, 'loweredAfterMs'));
  const last = median(numbersOf(rows, 'lastCanaryAfterMs'));
  const first = 'first bad answer to first lowering at the load generator, median';
  const second = 'first bad answer to last canary answer, median';
  if (!hasGoal) return [told(first, seconds(lowered)), told(second, seconds(last))];
  return [
    goal(first, seconds(lowered), `scrape + 5 s = ${seconds(scrapeMs + 5000)}`, lowered <= scrapeMs + 5000),
    goal(second, seconds(last), `3 scrapes + 5 s = ${seconds(3 * scrapeMs + 5000)}`, last <= 3 * scrapeMs + 5000),
  ];
}

function common(rows: readonly Row[]): readonly Figure[] {
  const lost = sum(numbersOf(rows, 'lost'));
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  const examples = rows.map((row) => row['message']).filter((one) => typeof one === 'string');
  return [
    goal(
      'rolled back, with rates, counts and evidence in the message',
      `${rows.length - failed} of ${rows.length}`,
      'all',
      failed === 0,
    ),
    goal('requests lost', `${lost}`, '0', lost === 0),
    told('what the message says', examples[0] ?? ''),
  ];
}

function details(rows: readonly Row[]): readonly (readonly string[])[] {
  const head = [
    '#',
    'first lowering seen',
    'last canary answer',
    'bad answers',
    'route writes that lowered, from the audit log',
  ];
  const lines = rows.map((row, index) => [
    `${index + 1}`,
    seconds(row['loweredAfterMs'] as number | undefined),
    seconds(row['lastCanaryAfterMs'] as number | undefined),
    textOf(row, 'badAnswers'),
    ((row['routeWrites'] as string[] | undefined) ?? []).join(', '),
  ]);
  return [head, ...lines];
}
