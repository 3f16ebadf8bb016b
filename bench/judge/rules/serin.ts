/** Serin's own judge as a rule, through what src/analysis exports: nothing of it is written again here. */
import { type JudgeState, judgeWindow, openJudge, startStep } from '../../../src/analysis/judge.ts';
import type { Window } from '../../../src/analysis/engine.ts';
import { logWindowEvidence } from '../../../src/analysis/errors.ts';
import { harmTilts, openHarm } from '../../../src/analysis/harm.ts';
import { type Wealth, afterWindow, slack, unlimited } from '../../../src/analysis/mixture.ts';
import { defaultErrors, weighted } from '../../../src/analysis/metric.ts';
import { type JudgeSettings, defaultSettings, logBrake, termsOf } from '../../../src/analysis/settings.ts';
import { harmMargins } from '../../../src/analysis/tolerance.ts';
import { verdictOf } from '../../../src/analysis/verdict.ts';
import type { Before } from '../before.ts';
import type { Call, Rule } from './rule.ts';

/** A rule that is a judge. */
interface JudgedRule extends Rule {
  /** By which settings it judges a release. */
  settingsFor(before: Before | undefined): JudgeSettings;
}

/** The shipped judge at a confidence, with everything else as it ships: what the hour before the release says is learned. */
export function serin(confidencePercent: number): JudgedRule {
  return judgedBy(`serin-${confidencePercent}`, `Serin, confidence ${confidencePercent}`, {
    ...defaultSettings,
    confidencePercent,
  });
}

/** The same where nothing is known of the time before. */
export function serinWithoutHistory(confidencePercent: number): JudgedRule {
  return judgedBy(
    `serin-${confidencePercent}-unknown`,
    `Serin, confidence ${confidencePercent}, without history`,
    { ...defaultSettings, confidencePercent },
    false,
  );
}

/** Errors and latency judged together, as a Rollout asks for them; of latency nothing is learned. */
export function serinWithLatency(confidencePercent: number, clumping: number): JudgedRule {
  const metrics = weighted([
    defaultErrors,
    { kind: 'latency', name: 'latency', tolerateRatio: 1.1, ruleOut: { ratio: 2, absolute: 0.01 } },
  ]);
  const alone = clumping === 1 ? ', nothing clumps' : '';
  return judgedBy(
    `serin-latency-${confidencePercent}-${clumping}`,
    `Serin, errors and latency, ${confidencePercent}${alone}`,
    {
      ...defaultSettings,
      metrics,
      confidencePercent,
      clumping,
    },
    clumping !== 1,
  );
}

function judgedBy(name: string, label: string, usual: JudgeSettings, learns = true): JudgedRule {
  const settingsFor = (before: Before | undefined) => (learns && before ? before.learned(usual) : usual);
  return {
    name,
    label,
    promise: 1 - usual.confidencePercent / 100,
    settingsFor,
    open(before) {
      const settings = settingsFor(before);
      const hasLatency = settings.metrics.some(({ kind }) => kind === 'latency');
      let judge: JudgeState = startStep(openJudge([{ name: 'app', hasLatency }], settings), 'step 1', 0);
      return (window) => {
        judge = judgeWindow(judge, 'app', window, settings);
        return callOf(judge, settings);
      };
    },
  };
}

function callOf(judge: JudgeState, settings: JudgeSettings): Call {
  const { level, isBrakeReleasable } = verdictOf(judge, settings);
  if (level === 'harmful') return 'back';
  if (level === 'brake' || level === 'onePod') return 'brake';
  return isBrakeReleasable ? 'release' : 'none';
}

/**
 * The same calls `brake` and `back` at a fraction of the cost, where almost nothing ever happens: the evidence of harm
 * without any bound is followed once for all of them, and only when it reaches what the brake needs, which no bounded
 * evidence can do before it, is a judge shown everything so far and all that comes. Until then `release` is never called.
 * The rules must be opened in their order, judge errors alone and brake at 99 at least. Those that suppose the same of the
 * errors are followed together.
 */
export function screened(rules: readonly JudgedRule[]): readonly Rule[] {
  let screens = new Map<number, Screen>();
  return rules.map((rule, place) => ({
    ...rule,
    open(before) {
      if (place === 0) screens = new Map();
      const clumping = clumpingOf(rule.settingsFor(before));
      const screen = screens.get(clumping) ?? openScreen(clumping);
      screens.set(clumping, screen);
      let judge: ((window: Window) => Call) | undefined;
      return (window) => {
        if (judge) return judge(window);
        if (!screen.isSuspect(window)) return 'none';
        judge = rule.open(before);
        let call: Call = 'none';
        for (const one of screen.seen) {
          call = judge(one);
          if (one === window) break;
        }
        return call;
      };
    },
  }));
}

function clumpingOf({ metrics: [first], clumping }: JudgeSettings): number {
  return (first?.kind === 'count' ? first.clumping : undefined) ?? clumping;
}

interface Screen {
  readonly seen: readonly Window[];
  /** May be asked several times about the newest window, which counts once. */
  isSuspect(window: Window): boolean;
}

function openScreen(clumping: number): Screen {
  const look = looking(clumping);
  const seen: Window[] = [];
  let suspect = false;
  return {
    seen,
    isSuspect(window) {
      if (seen.at(-1) !== window) {
        seen.push(window);
        suspect = look(window);
      }
      return suspect;
    },
  };
}

/** Each window once. True when the unbounded evidence is at the brake's goal, so that a judge might call something. */
function looking(clumping: number): (window: Window) => boolean {
  const terms = termsOf(defaultErrors, { ...defaultSettings, clumping });
  const margins = harmMargins(terms.tolerate);
  let lines: readonly Wealth[] = openHarm(terms);
  return (window) => {
    lines = lines.map((wealth, line) => {
      const margin = margins[line] ?? { ratio: 1, excess: 0 };
      const bets = harmTilts(margin).map((tilt) => logWindowEvidence(window, margin, tilt) / clumping);
      return afterWindow(wealth, bets, window.lengthMs, unlimited);
    });
    return lines.every(({ logEvidence }) => logEvidence >= logBrake(terms) - 2 * slack);
  };
}
