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
import type { Call, Rule } from './rule.ts';

/** The shipped judge at a confidence, with everything else as it ships. */
export function serin(confidencePercent: number): Rule {
  return judgedBy(`serin-${confidencePercent}`, `Serin, confidence ${confidencePercent}`, {
    ...defaultSettings,
    confidencePercent,
  });
}

/** The same for a service whose history shows that its errors come alone. */
export function serinCalibrated(confidencePercent: number): Rule {
  return judgedBy(
    `serin-${confidencePercent}-alone`,
    `Serin, confidence ${confidencePercent}, errors known to come alone`,
    {
      ...defaultSettings,
      confidencePercent,
      clumping: 1,
    },
  );
}

/** Errors and latency judged together, as a Rollout asks for them. */
export function serinWithLatency(confidencePercent: number, clumping: number): Rule {
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
  );
}

function judgedBy(name: string, label: string, settings: JudgeSettings): Rule {
  return {
    name,
    label,
    promise: 1 - settings.confidencePercent / 100,
    open() {
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
 * The rules must be opened in their order, judge errors alone with the same `clumping`, and brake at 99 at least.
 */
export function screened(rules: readonly Rule[], clumping: number): readonly Rule[] {
  let opened = openScreen(clumping);
  return rules.map((rule, place) => ({
    ...rule,
    open() {
      if (place === 0) opened = openScreen(clumping);
      const screen = opened;
      let judge: ((window: Window) => Call) | undefined;
      return (window) => {
        if (judge) return judge(window);
        if (!screen.isSuspect(window)) return 'none';
        judge = rule.open();
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
