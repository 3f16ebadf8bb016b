/**
 * The same shop with each kind of harm that a version can do, read through Prometheus and read by the operator itself: how
 * quickly its share falls to nothing, and how many requests it harmed until then.
 */
import { countLost, maximum, median, sum } from '../harness/measure.ts';
import { untilEnded } from '../harness/release.ts';
import type { Scene } from '../harness/scene.ts';
import type { Version } from '../harness/shop.ts';
import { Checks, goal, numbersOf, seconds, textOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

/** What a healthy answer takes, so that a third more of it is more than a machine's own unevenness. */
const usualMs = 40;

interface Harm {
  readonly name: string;
  readonly title: string;
  readonly version: Omit<Version, 'number'>;
  /** Which of the new version's answers are harmed ones. */
  readonly isHarmed: (answer: { readonly outcome: unknown; readonly tookMs: number }) => boolean;
  readonly judged: RegExp;
  /** A pod that dies takes the requests with it that it was serving. */
  readonly losesRequests?: boolean;
}

const isError = ({ outcome }: { readonly outcome: unknown }): boolean => Number(outcome) >= 500;

const harms: readonly Harm[] = [
  ...[100, 50, 5, 1].map((percent) => ({
    name: `errors-${percent}`,
    title: `${percent} % of the answers 500`,
    version: { latencyMs: usualMs, errorRate: percent / 100 },
    isHarmed: isError,
    judged: /Errors/,
  })),
  {
    name: 'tail',
    title: 'a tenth of the requests take three times as long',
    version: { latencyMs: usualMs, slowShare: 0.1, slowMs: 2 * usualMs },
    isHarmed: ({ tookMs }) => tookMs >= 2.5 * usualMs,
    judged: /Latency/,
  },
  {
    name: 'slower',
    title: 'every request takes 30 % longer',
    version: { latencyMs: 1.3 * usualMs },
    isHarmed: ({ tookMs }) => tookMs >= 1.25 * usualMs,
    judged: /Latency/,
  },
  {
    name: 'crashes',
    title: 'every pod ends with an error 15 s after its start',
    version: { latencyMs: usualMs, crashAfterMs: 15_000 },
    isHarmed: isError,
    judged: /Crashes|NotReady|Errors/,
    losesRequests: true,
  },
];

export const harmStories: readonly Story[] = (['app', 'scrape'] as const).flatMap((dataPlane) =>
  harms.map((harm) => storyOf(harm, dataPlane)),
);

function storyOf(harm: Harm, dataPlane: 'app' | 'scrape'): Story {
  const how = dataPlane === 'app' ? 'Prometheus, every 5 s' : 'pods read by the operator, every 2 s';
  return {
    name: `${dataPlane}-${harm.name}`,
    title: `${harm.title} (${how})`,
    times: 5,
    alone: false,
    minutes: 8,
    scene: { start: 'attached', dataPlane, latency: true, first: { latencyMs: usualMs } },
    play: (scene) => playHarm(scene, harm),
    figures: (rows) => {
      const back = rows.filter((row) => row['ending'] === 'rolledBack').length;
      const lost = sum(numbersOf(rows, 'lost'));
      return [
        goal('rolled back', `${back} of ${rows.length}`, 'all', back === rows.length),
        told('first harmed answer to last answer of the version, median', seconds(median(numbersOf(rows, 'lastMs')))),
        told('harmed answers, median', `${median(numbersOf(rows, 'harmed'))}`),
        told('harmed answers, most', `${maximum(numbersOf(rows, 'harmed'))}`),
        harm.losesRequests ? told('requests lost', `${lost}`) : goal('requests lost', `${lost}`, '0', lost === 0),
        told('what the message says', textOf(rows[0] ?? { problems: [] }, 'message')),
      ];
    },
  };
}

async function playHarm(scene: Scene, harm: Harm): Promise<Row> {
  const checks = new Checks();
  const { number, name } = scene.nextVersion();
  const fromMs = await scene.git.release({ number, ...harm.version });
  const ending = await untilEnded(scene, name, 400_000);
  const load = scene.load.snapshot();
  const span = { from: fromMs, to: ending.atMs };
  const lost = countLost(load, { fromMs, toMs: ending.atMs }, harm.losesRequests ? new Checks() : checks);
  const answers = load.answersOf(name, span);
  const harmed = answers.filter(({ outcome, sentAt, doneAt }) => harm.isHarmed({ outcome, tookMs: doneAt - sentAt }));
  const lastAtMs = load.lastAnswerOf(name, span)?.doneAt;
  const firstAtMs = harmed[0]?.doneAt;
  checks.expect(ending.kind === 'rolledBack', `${name} was promoted: ${ending.message}`);
  const reason = scene.watcher.status.quarantined?.[0]?.reason ?? '';
  checks.expect(harm.judged.test(reason), `${name} was rejected for ${reason}: ${ending.message}`);
  return {
    problems: checks.problems,
    ending: ending.kind,
    lost,
    harmed: harmed.length,
    answers: answers.length,
    ...(firstAtMs === undefined || lastAtMs === undefined ? {} : { lastMs: lastAtMs - firstAtMs }),
    tookMs: ending.atMs - fromMs,
    message: ending.message,
  };
}
