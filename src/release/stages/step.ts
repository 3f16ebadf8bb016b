/** One step: bring the weight, let it be judged, and go on only on a fresh "acceptable", on whenUnsure or on a person's word (S4). */
import type { Judged } from '../../analysis/answer.ts';
import type { EffectiveCheck } from '../../api/effective.ts';
import type { Attempt } from '../../api/rollout-status.ts';
import type { Decision, Report } from '../decision.ts';
import { decision, withAttempt } from '../plan.ts';
import { exposureWords, sharingOf } from '../sharing.ts';
import { isClimbing } from '../climbing.ts';
import { turnedWords } from '../flags.ts';
import { canarySet, exposedPercent, isDoubtful, presentCheck, presentFlag } from '../views.ts';
import { percent } from '../weights.ts';
import type { World } from '../world.ts';
import { heldBy, heldReport } from './harm.ts';
import { isSpotless, podsLate } from './health.ts';
import { moving, place } from './moving.ts';
import { pinning } from './pins.ts';
import { enterRetreat } from './retreat.ts';
import { shift } from './shift.ts';
import { brakeReleased, brakeReport, harmed, mayRise, outage, whenUnsure } from './verdict.ts';

/** Enters step `index`, counted from 0; the one after the last is the bake. */
export function enterStep(world: World, attempt: Attempt, index: number, nowMs: number): Decision {
  const { steps } = attempt.spec.strategy;
  const step = steps[index];
  const { convergedAtMs: _old, flagHarm: _passed, ...rest } = attempt;
  const weightPercent = step?.weightPercent ?? 100;
  const next: Attempt = {
    ...rest,
    stage: step === undefined ? 'bake' : 'step',
    stageSinceMs: nowMs,
    step: index,
    weightPercent,
    weightSinceMs: nowMs,
  };
  const message = step === undefined ? bakeWords(world, attempt) : stepWords(world, next);
  const note = { type: 'Normal', reason: step === undefined ? 'Baking' : 'Stepped', message } as const;
  return decision(
    withAttempt(world.memory, next),
    { phase: 'Progressing', reason: note.reason, message, stalled: false },
    { events: isTold(index, steps.length) ? [note] : [], wakeAfterMs: 0 },
  );
}

function stepWords(world: World, attempt: Attempt): string {
  return `${place(attempt)}: ${doneWords(world, attempt)}.`;
}

function doneWords(world: World, attempt: Attempt): string {
  const check = presentCheck(attempt);
  if (check !== undefined) return checkWords(attempt, check);
  const flag = presentFlag(attempt);
  if (flag === undefined) return exposureWords(attempt, attempt.weightPercent, world.deployment?.replicas ?? 0);
  return `flag ${flag.name} of ${flag.source} is ${turnedWords(flag.variant, flag.percent)}`;
}

/** "2 requests are sent to pods of 7f9c, which no user reaches yet" */
export function checkWords({ hash, weightPercent }: Attempt, { requests }: EffectiveCheck): string {
  const asked = requests.length === 1 ? '1 request is sent' : `${requests.length} requests are sent`;
  return `${asked} to pods of ${hash}${weightPercent > 0 ? '' : ', which no user reaches yet'}`;
}

/** After a person's word for promotion the weights and flags between are left out, and no check is. */
export function nextStep({ promotedBy, spec, step }: Attempt): number {
  const { steps } = spec.strategy;
  if (promotedBy === undefined) return step + 1;
  const check = steps.findIndex((one, index) => index > step && one.check !== undefined);
  return check === -1 ? steps.length : check;
}

/** A clean release has at most 12 Events, four of them besides its steps; of many steps every second or third is told. */
function isTold(index: number, steps: number): boolean {
  return index === steps || index % Math.ceil(steps / MOST_STEPS_TOLD) === 0;
}

const MOST_STEPS_TOLD = 8;

function bakeWords(world: World, attempt: Attempt): string {
  if (sharingOf(attempt.spec) === 'routes') return `All traffic goes to ${attempt.hash} and it bakes.`;
  return `${exposureWords(attempt, 100, world.deployment?.replicas ?? 0)}, and it bakes.`;
}

/** The stages step and bake, up to the question whether the weight that was decided has been judged long enough. */
export function progress(
  world: World,
  attempt: Attempt,
  nowMs: number,
  judge: (world: World, attempt: Attempt, nowMs: number) => Decision,
): Decision {
  const harm = harmed(world, attempt, nowMs);
  if (harm !== undefined) return harm;
  const released = brakeReleased(world, attempt, nowMs);
  if (released !== undefined) return releasing(world, released, nowMs);
  const down = outage(world, attempt, nowMs);
  if (down !== undefined && 'memory' in down) return down;
  const weightPercent = attempt.brake?.weightPercent ?? attempt.weightPercent;
  const moved = shift(world, attempt, { weightPercent, mayRise: mayRise(world, attempt) }, nowMs);
  if (moved.kind === 'starting') {
    const late = podsLate(world, attempt, nowMs);
    if (late !== undefined) return late;
  }
  if (moved.kind === 'held') return heldBack(world, attempt, down, nowMs);
  if (moved.kind !== 'converged') return moving(world, attempt, weightPercent, moved, nowMs);
  const { refusal } = pinning(world, attempt);
  if (refusal !== undefined) return decision(world.memory, refusal, { wakeAfterMs: 5000 });
  if (attempt.convergedAtMs === undefined) return converged(world, attempt, nowMs);
  if (attempt.brake !== undefined || attempt.pausedBy !== undefined || isClimbing(attempt))
    return heldBack(world, attempt, down, nowMs);
  if (down !== undefined && !needsNoSource(attempt)) return decision(world.memory, down, { wakeAfterMs: 10_000 });
  return judge(world, attempt, nowMs);
}

/** A person's word stands for what the source would say, and what pods answer to a check is known without it. */
function needsNoSource(attempt: Attempt): boolean {
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  return isAsked || presentCheck(attempt) !== undefined;
}

/** The weight stays where it is; says what for, and asks for a person when it lasts (S8). */
export function heldBack(world: World, attempt: Attempt, down: Report | undefined, nowMs: number): Decision {
  if (attempt.brake !== undefined) return decision(world.memory, brakeReport(attempt, nowMs), { wakeAfterMs: 10_000 });
  if (attempt.pausedBy !== undefined)
    return decision(world.memory, pausedReport(world, attempt), { wakeAfterMs: 60_000 });
  if (down !== undefined) return decision(world.memory, down, { wakeAfterMs: 10_000 });
  const held = heldFor(world, attempt);
  if (held !== undefined) return held;
  const isLong = nowMs - attempt.weightSinceMs >= attempt.spec.analysis.whenUnsure.afterMs;
  const report = judgingReport(world, attempt, nowMs);
  return decision(world.memory, isLong ? { ...report, reason: 'Unsure', stalled: true } : report, {
    wakeAfterMs: 10_000,
  });
}

/** What the Rollout says to wait for, unless a person's word stands for it; undefined when there is nothing of the kind. */
export function heldFor(world: World, attempt: Attempt): Decision | undefined {
  const isAsked = attempt.promotedBy !== undefined || attempt.skippedStep === attempt.step;
  const held = isAsked ? undefined : heldBy(world, attempt);
  return held === undefined ? undefined : decision(world.memory, heldReport(attempt, held), { wakeAfterMs: 10_000 });
}

function releasing(world: World, released: Attempt, nowMs: number): Decision {
  const { weightPercent } = released;
  // The weight rises with the next look; what must go down or be repaired does so in this one.
  const moved = shift(world, released, { weightPercent, mayRise: false }, nowMs);
  const message = `The doubt about ${released.hash} is gone; ${percent(released.weightPercent)} of requests go to it again.`;
  return decision(
    withAttempt(world.memory, released),
    { phase: 'Progressing', reason: 'BrakeReleased', message, stalled: false },
    {
      effects: 'effects' in moved ? moved.effects : [],
      events: [{ type: 'Normal', reason: 'BrakeReleased', message }],
      wakeAfterMs: 0,
    },
  );
}

function converged(world: World, attempt: Attempt, nowMs: number): Decision {
  const next: Attempt = { ...attempt, convergedAtMs: nowMs };
  return decision(withAttempt(world.memory, next), standing(world, next, nowMs), { wakeAfterMs: 0 });
}

/** What is said of a weight that is in force: a brake and a pause stay what they are. */
function standing(world: World, attempt: Attempt, nowMs: number): Report {
  if (attempt.brake !== undefined) return brakeReport(attempt, nowMs);
  return attempt.pausedBy === undefined ? judgingReport(world, attempt, nowMs) : pausedReport(world, attempt);
}

function pausedReport(world: World, attempt: Attempt): Report {
  return {
    phase: 'Paused',
    reason: 'PausedByPerson',
    message: `Paused by ${attempt.pausedBy ?? 'a person'} at ${percent(exposedPercent(world, attempt))}; the weight does not grow until resume.`,
    stalled: true,
  };
}

/** The judge of the stage `step`. */
export function judgeStep(world: World, attempt: Attempt, nowMs: number): Decision {
  const step = attempt.spec.strategy.steps[attempt.step];
  // A person's word stands for missing evidence, never for evidence of harm.
  const mayBeAsked = !isDoubtful(world);
  if (mayBeAsked && attempt.promotedBy !== undefined) return enterStep(world, attempt, nextStep(attempt), nowMs);
  if (mayBeAsked && attempt.skippedStep === attempt.step) return enterStep(world, attempt, attempt.step + 1, nowMs);
  const held = heldFor(world, attempt);
  if (held !== undefined) return held;
  const sinceMs = nowMs - (attempt.convergedAtMs ?? nowMs);
  const leastMs = step?.atLeastMs ?? 0;
  if (sinceMs < leastMs)
    return decision(world.memory, judgingReport(world, attempt, nowMs), { wakeAfterMs: leastMs - sinceMs });
  if (isStepAcceptable(world)) return enterStep(world, attempt, attempt.step + 1, nowMs);
  return impatient(world, attempt, nowMs, () => enterStep(world, attempt, attempt.step + 1, nowMs));
}

function isStepAcceptable({ answer }: World): boolean {
  if (answer.kind !== 'judged' || answer.level !== 'calm') return false;
  return answer.stepAcceptable && answer.cost?.waits !== 'step';
}

/** Without "acceptable": what whenUnsure says, once its time is over. */
export function impatient(world: World, attempt: Attempt, nowMs: number, proceed: () => Decision): Decision {
  const { afterMs } = attempt.spec.analysis.whenUnsure;
  const patience = whenUnsure(world, attempt, nowMs);
  switch (patience) {
    case 'proceed':
      return proceed();
    case 'rollback':
      return enterRetreat(world, nowMs, {
        why: 'notJudged',
        reason: 'NotJudged',
        message: `${world.answer.kind === 'noSource' ? 'No metric source is configured' : `There was not enough traffic to judge it within ${Math.round(afterMs / 1000)}s`}, and whenUnsure says rollback; nothing is known against the revision.`,
      });
    case 'hold':
      return decision(
        world.memory,
        { ...judgingReport(world, attempt, nowMs), reason: isSplitOff(world) ? 'SplitOff' : 'Unsure', stalled: true },
        { wakeAfterMs: 30_000 },
      );
    case 'wait':
      return decision(world.memory, judgingReport(world, attempt, nowMs), {
        wakeAfterMs: Math.max(100, (attempt.convergedAtMs ?? nowMs) + afterMs - nowMs),
      });
    default:
      return patience satisfies never;
  }
}

function isSplitOff({ answer }: World): boolean {
  return answer.kind === 'judged' && answer.splitOff !== undefined;
}

/** What the judge says, and what keeps its evidence from being enough whatever there is of it. */
function judgedWords({ sentence, waitingFor, splitOff, notJudged = [] }: Judged): string {
  const said = waitingFor === undefined ? `. ${sentence}` : `; ${waitingFor}.`;
  const names = notJudged.join(', ');
  const missing = names === '' || said.includes(names) ? '' : ` Nothing counts ${names}, so only whenUnsure goes on.`;
  return `${said}${splitOff === undefined || said.includes(splitOff) ? '' : ` ${splitOff}`}${missing}`;
}

export function judgingReport(world: World, attempt: Attempt, nowMs: number): Report {
  const { answer } = world;
  const { afterMs } = attempt.spec.analysis.whenUnsure;
  const where = `${place(attempt)}: ${exposureWords(attempt, attempt.weightPercent, world.deployment?.replicas ?? 0)}`;
  const nextTransitionAtMs = (attempt.convergedAtMs ?? nowMs) + afterMs;
  switch (answer.kind) {
    case 'judged':
      return {
        phase: 'Progressing',
        reason: 'Judging',
        message: `${where}${judgedWords(answer)}`,
        stalled: false,
        verdict: answer.level === 'calm' ? (answer.stepAcceptable ? 'Acceptable' : 'NotEnough') : 'Doubt',
        ...(answer.level === 'calm' && !answer.stepAcceptable ? { nextTransitionAtMs } : {}),
      };
    case 'noSource':
      return {
        phase: 'Progressing',
        reason: 'Judging',
        message: `${where}; no metric source is configured, only readiness and restarts are watched.${isSpotless(canarySet(world, attempt)) ? '' : ' Not every pod is ready, or one was restarted, so it does not go on by itself.'}`,
        stalled: false,
        verdict: 'NoSource',
        nextTransitionAtMs,
      };
    case 'noEvidence':
      return {
        phase: 'Progressing',
        reason: 'NotEnoughTraffic',
        message: `${where}. ${answer.sentence}`,
        stalled: false,
        verdict: 'NotEnough',
        nextTransitionAtMs,
      };
    case 'sourceDown':
      return {
        phase: 'Progressing',
        reason: 'SourceDown',
        message: `${where}. ${answer.sentence}`,
        stalled: false,
        verdict: 'SourceDown',
      };
    default:
      return answer satisfies never;
  }
}
