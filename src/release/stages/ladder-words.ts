/** The sentences about a ladder: what a rung did, what it changed in the evidence, and what comes next. */
import type { Answer } from '../../analysis/answer.ts';
import type { EffectiveRung } from '../../api/effective.ts';
import type { Attempt, HarmCounts, Ladder } from '../../api/rollout-status.ts';
import { type PresentRung, presentRung } from '../climbing.ts';
import type { Report } from '../decision.ts';
import { turnedWords } from '../flags.ts';
import { place } from './moving.ts';
import { brakedWords } from './brake.ts';

const LONGEST = 512;

/** Counts of the metric that carries the verdict; undefined when nothing was judged. `culprit` only where it is known. */
export function countsOf(answer: Answer, culprit: string | undefined): HarmCounts | undefined {
  if (answer.kind !== 'judged') return undefined;
  const counted = answer.culprit === culprit ? answer.culpritCounts : undefined;
  const isErrors = counted === undefined && (culprit === undefined || culprit === 'errors');
  if (counted === undefined && !isErrors) return undefined;
  const canaryRequests = counted?.canaryTotal ?? answer.canaryRequests;
  const canaryErrors = counted?.canaryBad ?? answer.canaryErrors;
  const stableRequests = counted?.stableTotal ?? answer.stableRequests;
  const stableErrors = counted?.stableBad ?? answer.stableErrors;
  const excess = shareOf(canaryErrors, canaryRequests) - shareOf(stableErrors, stableRequests);
  return {
    canaryRequests,
    canaryErrors,
    stableRequests,
    stableErrors,
    ...(culprit === undefined ? {} : { culprit }),
    excess: Math.min(1, Math.max(0, excess)),
  };
}

function shareOf(bad: number, total: number): number {
  return total > 0 ? bad / total : 0;
}

/** "after new-pricing was turned off, extra errors went from 4.1% to 0.0%" */
export function changedWords(attempt: Attempt, rung: PresentRung, after: HarmCounts | undefined): string {
  const { before } = attempt.ladder ?? {};
  const what = { errors: 'extra errors', latency: 'extra slow requests' }[before?.culprit ?? 'errors'];
  const extra = what ?? `the extra share of ${before?.culprit ?? ''}`;
  if (after === undefined || before === undefined) return `${didWords(rung)}, nothing fresh was judged`;
  return `${didWords(rung)}, ${extra} went from ${share(before.excess)} to ${share(after.excess)}`;
}

function share(excess: number): string {
  return `${(excess * 100).toFixed(1)}%`;
}

/** "after new-pricing was turned off" */
function didWords(rung: PresentRung): string {
  if (rung.kind === 'flag') return `after ${rung.name} was ${turnedWords(rung.variant)}`;
  return rung.kind === 'stepFlags' ? 'after the flags of this release were turned back' : 'looked at again';
}

/** What was found out when the harm was gone. */
export function goneWords(rung: PresentRung, changed: string): string {
  if (rung.kind === 'flag') return bounded(`${changed}: the flag was the cause; the release goes on.`);
  if (rung.kind === 'stepFlags')
    return bounded(`${changed}: the flag did harm and not the version alone; the release goes on without it.`);
  return bounded(`${changed}: the harm is gone; the release goes on.`);
}

export function notTheCauseWords(rung: PresentRung, changed: string): string {
  if (rung.kind === 'flag') return bounded(`${changed}: the flag was not the cause and is put back.`);
  if (rung.kind === 'stepFlags') return bounded(`${changed}: the version does harm without them too.`);
  return bounded(`${changed}: it still does harm, or nothing shows that it does not.`);
}

export function bounded(sentence: string): string {
  return sentence.slice(0, LONGEST);
}

/** "flag new-pricing of unleash = off" */
export function rungWords(rung: EffectiveRung): string {
  switch (rung.kind) {
    case 'flag':
      return `flag ${rung.name} of ${rung.source} = ${rung.variant}`;
    case 'observe':
      return `look again for ${Math.round(rung.forMs / 1000)}s`;
    case 'notify':
      return 'tell people';
    case 'hold':
      return 'hold for a person';
    case 'rollback':
      return 'roll back';
    default:
      return rung satisfies never;
  }
}

/** Why it came to this and what was tried about it since. */
export function causeWords(ladder: Ladder): string {
  const tried = ladder.done.filter(({ kind, atMs }) => atMs >= ladder.beganAtMs && TRIED.has(kind));
  return [ladder.cause.message, ...tried.map(({ sentence }) => capital(sentence))].join(' ');
}

const TRIED = new Set(['flag', 'observe', 'stepFlags']);

function capital(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
}

/** What people are shown while a rung is under way. */
export function climbingReport(attempt: Attempt): Report {
  const { ladder, brake } = attempt;
  const rung = presentRung(attempt);
  const where =
    brake === undefined ? `${place(attempt)}, weight held: ${ladder?.cause.message ?? ''}` : brakedWords(attempt);
  const said = { phase: brake === undefined ? 'Progressing' : 'Braked', verdict: 'Harm' } as const;
  if (ladder === undefined || rung === undefined || rung.kind === 'hold')
    return {
      ...said,
      reason: 'HeldForPerson',
      stalled: true,
      message: `${where} onAnomaly says hold: it stays so until a person aborts or another template is applied.`,
    };
  const next = attempt.spec.onAnomaly[ladder.next];
  const then = next === undefined ? '' : ` If not, next: ${rungWords(next)}.`;
  const isTurning = ladder.observeFromMs === undefined && rung.kind !== 'observe';
  const message = `${where} ${isTurning ? turningWords(rung) : lookingWords(rung)}${then}`;
  return {
    ...said,
    reason: isTurning ? 'TurningFlag' : 'Observing',
    stalled: false,
    message,
    nextTransitionAtMs: ladder.sinceMs + longestMs(rung),
  };
}

function turningWords(rung: PresentRung): string {
  return rung.kind === 'flag'
    ? `Flag ${rung.name} of ${rung.source} is being ${turnedWords(rung.variant)} for everybody.`
    : 'Flags that this release turned on are being turned back.';
}

function lookingWords(rung: PresentRung): string {
  const did = rung.kind === 'observe' ? '' : `, ${didWords(rung)}`;
  return `Fresh evidence is looked at${did}: the release goes on when the harm is gone.`;
}

/** Undoing what a flag step did is observed for so long. */
const STEP_FLAGS_MS = 120_000;

/** From the moment when a rung is taken to the next one at most (S14). */
export function longestMs(rung: PresentRung): number {
  if (rung.kind === 'flag') return rung.observeMs;
  if (rung.kind === 'observe') return rung.forMs;
  return rung.kind === 'stepFlags' ? STEP_FLAGS_MS : 0;
}
