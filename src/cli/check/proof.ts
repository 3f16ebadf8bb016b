/**
 * Works out what given traffic can prove and how fast: it shows the judge itself the windows that such traffic would fill,
 * on average, and notes when it speaks. Pure; chance makes a real release a little faster or slower.
 */
import type { EffectiveSpec } from '../../api/effective.ts';
import type { Window } from '../../analysis/engine.ts';
import { type JudgeState, judgeWindow, openJudge, startStep, verdictOf } from '../../analysis/judge.ts';
import type { JudgeSettings } from '../../analysis/settings.ts';
import { judgeSettingsOf } from '../../controller/judged-as.ts';

/** Requests as they come at rest. */
export interface SeenTraffic {
  readonly requestsPerSecond: number;
  /** Share of them that fails, from 0 to 1. */
  readonly failedShare: number;
  /** Time between two looks of the judge. */
  readonly windowMs: number;
}

export interface Proof {
  readonly steps: readonly StepProof[];
  /** How a version that fails `failingShare` of its requests fares in the first step. */
  readonly harm: HarmProof | undefined;
}

export interface StepProof {
  readonly weightPercent: number;
  /** Undefined: not before `whenUnsure` decides. */
  readonly seconds: number | undefined;
}

export interface HarmProof {
  readonly failingShare: number;
  readonly seconds: number;
  /** Requests that fail until then, if nothing brakes. */
  readonly failedRequests: number;
}

const FAILING_SHARE = 0.2;
const shortestWindowMs = 5_000;

export function proofOf(traffic: SeenTraffic, spec: EffectiveSpec): Proof {
  const settings = judgeSettingsOf(spec);
  const limitMs = spec.analysis.whenUnsure.afterMs;
  const { steps } = spec.strategy;
  const [first] = steps;
  return {
    steps: steps.map(({ weightPercent }) => ({
      weightPercent,
      seconds: secondsUntil(
        (state) => verdictOf(state, settings).isStepAcceptable,
        armsOf(traffic, weightPercent, traffic.failedShare),
        { traffic, settings, limitMs },
      ),
    })),
    harm: first === undefined ? undefined : harmOf(traffic, first.weightPercent, settings, limitMs),
  };
}

function harmOf(
  traffic: SeenTraffic,
  weightPercent: number,
  settings: JudgeSettings,
  limitMs: number,
): HarmProof | undefined {
  const arms = armsOf(traffic, weightPercent, FAILING_SHARE);
  const seconds = secondsUntil((state) => state.isHarmful, arms, { traffic, settings, limitMs });
  if (seconds === undefined) return undefined;
  return { failingShare: FAILING_SHARE, seconds, failedRequests: Math.ceil(seconds * arms.canary.errors) };
}

/** What a second brings to each version. */
function armsOf({ requestsPerSecond, failedShare }: SeenTraffic, weightPercent: number, canaryFailedShare: number) {
  const canary = (requestsPerSecond * weightPercent) / 100;
  const stable = requestsPerSecond - canary;
  return {
    canary: { requests: canary, errors: canary * canaryFailedShare },
    stable: { requests: stable, errors: stable * failedShare },
  };
}

interface Course {
  readonly traffic: SeenTraffic;
  readonly settings: JudgeSettings;
  readonly limitMs: number;
}

function secondsUntil(
  isThere: (state: JudgeState) => boolean,
  perSecond: ReturnType<typeof armsOf>,
  { traffic, settings, limitMs }: Course,
): number | undefined {
  const lengthMs = Math.max(traffic.windowMs, shortestWindowMs);
  let state = startStep(openJudge(['app'], settings), 'step', 0);
  for (let startMs = 0; startMs + lengthMs <= limitMs; startMs += lengthMs) {
    state = judgeWindow(state, 'app', windowOf(perSecond, startMs, lengthMs), settings);
    if (isThere(state)) return (startMs + lengthMs) / 1000;
  }
  return undefined;
}

function windowOf({ canary, stable }: ReturnType<typeof armsOf>, startMs: number, lengthMs: number): Window {
  const times = (counts: typeof canary) => ({
    requests: (counts.requests * lengthMs) / 1000,
    errors: (counts.errors * lengthMs) / 1000,
  });
  return {
    canary: times(canary),
    stable: times(stable),
    startMs,
    endMs: startMs + lengthMs,
    lengthMs,
    canaryGroups: [],
  };
}
