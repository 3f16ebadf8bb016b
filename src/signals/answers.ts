// Decides which kind of answer an attempt gets: judged, nothing yet, or an outage. It never turns silence into a
// verdict (S7), and a verdict of harm outlives every outage (S5).
import type { Answer } from '../analysis/answer.ts';
import { judgedAnswer } from '../analysis/explain.ts';
import type { JudgeState } from '../analysis/judge.ts';
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
  const newest = newestCut(facts.engines);
  if (facts.judge && newest) return judgedOrDown(facts, facts.judge, newest.cutMs, newest.windowMs, nowMs);
  // Once judged, nothing that is read now (the promotion has no arms) unsays what was found.
  if (facts.judge && (facts.judge.isHarmful || facts.engines.length === 0)) {
    return judgedAnswer(facts.judge, facts.settings, 0, false);
  }
  const failing = everyFailure(facts.engines);
  const askedMs = nowMs - (facts.firstAskedMs ?? nowMs);
  if (failing && askedMs > patience(unknownWindowMs)) {
    return { kind: 'sourceDown', sinceMs: facts.firstAskedMs ?? nowMs, everAnswered: false, sentence: failing };
  }
  return nothingYet(facts, failing, askedMs, nowMs - (facts.canarySinceMs ?? nowMs));
}

function judgedOrDown(facts: Facts, judge: JudgeState, cutMs: number, windowMs: number, nowMs: number): Answer {
  const ageMs = nowMs - cutMs;
  const failing = everyFailure(facts.engines);
  const isOutage =
    ageMs > patience(windowMs) && !judge.isHarmful && (facts.canarySinceMs !== undefined || failing !== undefined);
  if (!isOutage) return judgedAnswer(judge, facts.settings, cutMs, ageMs <= 2 * windowMs + lagMs);
  const stale = `MetricSource ${facts.sourceName} answers, but its newest samples of this release are ${Math.round(ageMs / 1000)} s old: ${oddityOf(facts.engines) ?? 'are its pods or the gateway still scraped?'}`;
  return { kind: 'sourceDown', sinceMs: cutMs, everAnswered: true, sentence: failing ?? stale };
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

function newestCut(engines: readonly EngineFacts[]): { cutMs: number; windowMs: number } | undefined {
  return engines
    .flatMap(({ lastCutMs, windowMs }) =>
      lastCutMs === undefined ? [] : [{ cutMs: lastCutMs, windowMs: windowMs ?? unknownWindowMs }],
    )
    .toSorted((one, other) => other.cutMs - one.cutMs)[0];
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
