// Decides which kind of answer an attempt gets: judged, nothing yet, or an outage. It never turns silence into a
// verdict (S7), and a verdict of harm outlives every outage (S5).
import type { Answer, Judged } from '../analysis/answer.ts';
import { judgedAnswer } from '../analysis/explain.ts';
import type { EngineName, JudgeState } from '../analysis/judge.ts';
import { restartsName } from '../analysis/metric.ts';
import type { JudgeSettings } from '../analysis/settings.ts';

/** What is known of an attempt's reading; times are the operator's clock. */
export interface Facts {
  readonly sourceName: string;
  readonly settings: JudgeSettings;
  readonly judge: JudgeState | undefined;
  readonly engines: readonly EngineFacts[];
  /** When the source was first asked; undefined before that. */
  readonly firstAskedMs: number | undefined;
  /** When the first of the canary's pods started; undefined while it has none. */
  readonly canarySinceMs: number | undefined;
}

export interface EngineFacts {
  readonly name: EngineName;
  /** The query that it reads, for people. */
  readonly example: string;
  readonly hasStable: boolean;
  readonly failing: { readonly sinceMs: number; readonly sentence: string } | undefined;
  /** The source has answered it once. */
  readonly hasAnswered: boolean;
  /** What is wrong with samples that it was answered with. */
  readonly oddity: string | undefined;
  readonly lastCutMs: number | undefined;
  readonly windowMs: number | undefined;
}

const missedWindows = 3;
const unknownWindowMs = 5_000;
/** Ingestion and the pause between two looks. */
const lagMs = 2_000;
/** How long new pods may take to be discovered and scraped. */
const discoveredWithinMs = 60_000;

export function answerOf(facts: Facts, nowMs: number): Answer {
  const cuts = facts.judge ? newestCuts(facts.judge, facts.engines) : [];
  // Restarts are counted without the source: as long as nothing else was seen, their calm is not the release's (S4, S7).
  const asked = facts.engines.filter(({ name }) => name !== restartsName);
  const isBlind = asked.length > 0 && !asked.some(({ lastCutMs }) => lastCutMs !== undefined);
  if (facts.judge && cuts.length > 0) {
    const answer = judgedOrDown(facts, facts.judge, cuts, nowMs);
    if (!isBlind || (answer.kind === 'judged' && grave.has(answer.level))) return answer;
  }
  // Once judged, nothing that is read now (the promotion has no arms) unsays what was found.
  if (facts.judge && (facts.judge.isHarmful || facts.engines.length === 0)) {
    return judgedAnswer(facts.judge, facts.settings, 0, false);
  }
  const failing = everyFailure(asked);
  const askedMs = nowMs - (facts.firstAskedMs ?? nowMs);
  if (failing && askedMs > patience(unknownWindowMs)) {
    return { kind: 'sourceDown', sinceMs: facts.firstAskedMs ?? nowMs, everAnswered: false, sentence: failing };
  }
  return nothingYet({ ...facts, engines: asked }, failing, askedMs, nowMs - (facts.canarySinceMs ?? nowMs));
}

/** Every metric must be seen: one that is still read must not hide that another has gone blind (S4, S7). */
function judgedOrDown(facts: Facts, judge: JudgeState, cuts: readonly Cut[], nowMs: number): Answer {
  const isOverdue = ({ cutMs, windowMs }: Cut) => nowMs - cutMs > patience(windowMs);
  const isFresh = cuts.every(({ cutMs, windowMs }) => Math.abs(nowMs - cutMs) <= 2 * windowMs + lagMs);
  const latest = cuts.reduce((one, other) => (lateness(other, nowMs) > lateness(one, nowMs) ? other : one));
  const answer = judgedAnswer(judge, facts.settings, latest.cutMs, isFresh);
  // What the others say against the canary counts all the same.
  const isHeard = judge.isHarmful || (grave.has(answer.level) && !cuts.every(isOverdue));
  const failing = everyFailure(latest.engines);
  const isOutage = isOverdue(latest) && !isHeard && (facts.canarySinceMs !== undefined || failing !== undefined);
  if (!isOutage) return answer;
  const stale = `MetricSource ${facts.sourceName} answers, but its newest samples of this release are ${Math.round((nowMs - latest.cutMs) / 1000)} s old: ${oddityOf(latest.engines) ?? whyStale(cuts, latest)}`;
  return { kind: 'sourceDown', sinceMs: latest.cutMs, everAnswered: true, sentence: failing ?? stale };
}

/** Levels that move traffic away from the canary. */
const grave: ReadonlySet<string> = new Set(['brake', 'onePod', 'harmful'] satisfies Judged['level'][]);

function whyStale(cuts: readonly Cut[], { engines }: Cut): string {
  if (cuts.length === 1) return 'are its pods or the gateway still scraped?';
  return `is ${engines.map(({ example }) => example).join(' or ')} still there?`;
}

function nothingYet(facts: Facts, failing: string | undefined, askedMs: number, runningMs: number): Answer {
  const waiting = { kind: 'noEvidence', reason: 'waiting' } as const;
  const isUnanswered = facts.engines.length > 0 && !facts.engines.some(({ hasAnswered }) => hasAnswered);
  if (failing !== undefined || isUnanswered)
    return {
      kind: 'noEvidence',
      reason: 'unanswered',
      sentence: failing ?? `Waiting for the first answer of MetricSource ${facts.sourceName}.`,
    };
  if (facts.canarySinceMs === undefined) return { ...waiting, sentence: 'The new version has no pods to judge yet.' };
  if (Math.min(askedMs, runningMs) <= discoveredWithinMs)
    return { ...waiting, sentence: 'Waiting for the first samples of the new version.' };
  return { kind: 'noEvidence', reason: 'noSeries', sentence: someFailure(facts.engines) ?? missing(facts) };
}

function missing({ sourceName, engines }: Facts): string {
  const odd = oddityOf(engines);
  if (odd !== undefined) return `MetricSource ${sourceName} answers, but nothing that counts: ${odd}`;
  const selectors = engines.map(({ example }) => example).join(' or ');
  const whose = engines.some(({ hasStable }) => hasStable) ? 'no samples of the new version' : 'no series';
  return `MetricSource ${sourceName} answers, but has ${whose} for ${selectors}: are these counters exposed and scraped, with these labels?`;
}

/** How far one metric has been read, by the reader that is furthest. */
interface Cut {
  readonly cutMs: number;
  readonly windowMs: number;
  /** All that read this metric. */
  readonly engines: readonly EngineFacts[];
}

/** One for each metric of which a window was cut. */
function newestCuts({ metrics }: JudgeState, engines: readonly EngineFacts[]): readonly Cut[] {
  return metrics.flatMap((metric) => {
    const own = engines.filter(({ name }) => metric.engines.some((engine) => engine.name === name));
    const cuts = own.flatMap(({ lastCutMs, windowMs }) =>
      lastCutMs === undefined ? [] : [{ cutMs: lastCutMs, windowMs: windowMs ?? unknownWindowMs, engines: own }],
    );
    return cuts.toSorted((one, other) => other.cutMs - one.cutMs).slice(0, 1);
  });
}

/** A metric that is scraped rarely may be older than another that is overdue. */
function lateness({ cutMs, windowMs }: Cut, nowMs: number): number {
  return nowMs - cutMs - patience(windowMs);
}

function oddityOf(engines: readonly EngineFacts[]): string | undefined {
  const odd = engines.find(({ oddity }) => oddity !== undefined)?.oddity;
  return odd === undefined ? undefined : `${odd}.`;
}

function someFailure(engines: readonly EngineFacts[]): string | undefined {
  return engines.find(({ failing }) => failing !== undefined)?.failing?.sentence;
}

/** One engine that still gets answers is enough to go on with. */
function everyFailure(engines: readonly EngineFacts[]): string | undefined {
  const sentences = engines.flatMap(({ failing }) => failing?.sentence ?? []);
  return engines.length > 0 && sentences.length === engines.length ? sentences[0] : undefined;
}

function patience(windowMs: number): number {
  return (missedWindows + 1) * windowMs + lagMs;
}
