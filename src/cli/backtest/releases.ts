/**
 * Finds the releases of the past in what a metric source remembers of pods: which revision had pods when. It goes by the
 * names that Kubernetes gives to the pods of a Deployment, for the pods themselves are long gone.
 */
import { patternOf, quoted } from '../../signals/presets/preset.ts';
import type { Sample, Series } from '../../signals/series.ts';

/** One revision took over from another. */
export interface PastRelease {
  /** The first pod of the new revision was seen, to the minute. */
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  /** Until when the new revision had pods; undefined: it has them still. */
  readonly endedAtMs?: number;
  /** What took over from it was a revision that had run before. */
  readonly isUndone: boolean;
}

/** A revision that had pods for a while without a pause. */
interface Life {
  readonly hash: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Its pods at each step. */
  readonly pods: readonly Sample[];
}

/** As the API server writes pod-template-hash and the ends of names: no vowels, no 0, 1 and 3. */
const HASH = '[bcdfghjklmnpqrstvwxz2456789]{6,10}';
const END = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** Pods that were not seen for so long were scaled away, and are a new life when they come back. */
const PAUSE_MS = 180_000;
/** Between the last pod of one revision and the first of the next there may be a while without any. */
const HANDOVER_MS = 600_000;

/** For PromQL and for JavaScript; the first group is the hash. */
export function podPattern(deployment: string): string {
  return `${patternOf([deployment])}-(${HASH})-${END}`;
}

/** How many targets each revision had, by its hash in the label `revision`, at every step. */
export function presenceQuery(namespace: string, deployment: string, stepMs: number): string {
  const pattern = quoted(podPattern(deployment));
  const up = `up{namespace=${quoted(namespace)},pod=~${pattern}}`;
  const present = `present_over_time(${up}[${stepMs}ms])`;
  return `count by (revision) (label_replace(${present},"revision","$1","pod",${pattern}))`;
}

/** Pods of these revisions that were seen in a span, by name. */
export function podsQuery(namespace: string, deployment: string, hashes: readonly string[], spanMs: number): string {
  const pattern = `${patternOf([deployment])}-(${patternOf(hashes)})-${END}`;
  return `count by (pod) (present_over_time(up{namespace=${quoted(namespace)},pod=~${quoted(pattern)}}[${spanMs}ms]))`;
}

/**
 * A release begins where a revision appears while another one has pods, or right after it had. `stepMs`: time between the
 * samples of `presence`. Oldest first. What ran when the history begins came by no release that can be seen.
 */
export function releasesIn(presence: readonly Series[], stepMs: number, untilMs: number): readonly PastRelease[] {
  const lives = presence
    .flatMap((series) => livesOf(series, stepMs))
    .toSorted((one, other) => one.fromMs - other.fromMs || one.untilMs - other.untilMs);
  return lives.flatMap((life) => {
    const from = runningBefore(lives, life);
    return from === undefined ? [] : [releaseOf(life, from, lives, { stepMs, untilMs })];
  });
}

function livesOf({ labels, samples }: Series, stepMs: number): readonly Life[] {
  const hash = labels['revision'] ?? '';
  if (hash === '') return [];
  const lives: Life[] = [];
  for (const sample of samples) {
    const { atMs } = sample;
    const last = lives.at(-1);
    if (last !== undefined && atMs - last.untilMs <= PAUSE_MS)
      lives[lives.length - 1] = { ...last, untilMs: atMs, pods: [...last.pods, sample] };
    // A sample speaks of the step that ends with it.
    else lives.push({ hash, fromMs: atMs - stepMs, untilMs: atMs, pods: [sample] });
  }
  return lives;
}

/** The revision with most pods right before; another one that was being tried at the time served only a part. */
function runningBefore(lives: readonly Life[], { hash, fromMs }: Life): string | undefined {
  const before = lives.flatMap((one) => {
    const last = one.hash === hash ? undefined : one.pods.findLast(({ atMs }) => atMs <= fromMs);
    return last === undefined || last.atMs < fromMs - HANDOVER_MS ? [] : [{ hash: one.hash, pods: last.value }];
  });
  return before.toSorted((one, other) => other.pods - one.pods)[0]?.hash;
}

function releaseOf(
  life: Life,
  from: string,
  lives: readonly Life[],
  { stepMs, untilMs }: { readonly stepMs: number; readonly untilMs: number },
): PastRelease {
  const base = { atMs: life.fromMs, from, to: life.hash };
  if (life.untilMs >= untilMs - 2 * stepMs) return { ...base, isUndone: false };
  return { ...base, isUndone: isUndone(life, from, lives), endedAtMs: life.untilMs };
}

/** The old revision goes on after it, or what came instead had run before. */
function isUndone(life: Life, from: string, lives: readonly Life[]): boolean {
  if (lives.some((one) => one.hash === from && one.untilMs > life.untilMs)) return true;
  const next = lives.find((one) => one.fromMs > life.fromMs && one.hash !== life.hash);
  return next !== undefined && lives.some((one) => one.hash === next.hash && one.fromMs < life.fromMs);
}
