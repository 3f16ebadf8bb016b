// Owns what has happened to a judge since a moment: enough to go through it again and come to the same bits. It never
// decides; going through it again is the judge's own work.
import type { Window } from './engine.ts';
import { type EngineName, type JudgeState, type Mode, armJudge, judgeWindow, startStep } from './judge.ts';
import type { JudgeSettings } from './settings.ts';

export type JudgeEvent =
  | { readonly kind: 'window'; readonly reader: EngineName; readonly window: Window }
  | { readonly kind: 'step'; readonly key: string; readonly atMs: number }
  | { readonly kind: 'mode'; readonly mode: Mode; readonly atMs: number };

export interface Course {
  /** The judge before the events: newly opened, or as it was after those that are no longer kept. */
  readonly from: JudgeState;
  readonly events: readonly JudgeEvent[];
  /** The judge after them. */
  readonly judge: JudgeState;
}

/**
 * As many numbers as may be kept of events, by how much the state beside them takes; with more, the older half of the
 * events goes into the state that they led to.
 */
const mostNumbers = { alone: 3_000, shared: 12_000 };

export function openCourse(judge: JudgeState): Course {
  return { from: judge, events: [], judge };
}

export function courseAfter({ from, events, judge }: Course, event: JudgeEvent, settings: JudgeSettings): Course {
  const next = { from, events: [...events, event], judge: judgeAfter(judge, event, settings) };
  return numbersIn(next.events) > roomFor(judge) ? shortened(next, settings) : next;
}

/** The same events again, from the same state. */
export function replayed(from: JudgeState, events: readonly JudgeEvent[], settings: JudgeSettings): JudgeState {
  return events.reduce((judge, event) => judgeAfter(judge, event, settings), from);
}

function judgeAfter(judge: JudgeState, event: JudgeEvent, settings: JudgeSettings): JudgeState {
  if (event.kind === 'window') return judgeWindow(judge, event.reader, event.window, settings);
  return event.kind === 'step' ? startStep(judge, event.key, event.atMs) : armJudge(judge, event.mode, event.atMs);
}

/** The same judge with the older half of the events gone into the state before them. */
export function shortened({ from, events, judge }: Course, settings: JudgeSettings): Course {
  const half = Math.ceil(events.length / 2);
  return { from: replayed(from, events.slice(0, half), settings), events: events.slice(half), judge };
}

function roomFor({ metrics }: JudgeState): number {
  const engines = metrics.reduce((sum, metric) => sum + metric.engines.length, 0);
  return Math.min(mostNumbers.alone, mostNumbers.shared / Math.max(1, engines));
}

function numbersIn(events: readonly JudgeEvent[]): number {
  return events.reduce((sum, event) => sum + (event.kind === 'window' ? windowNumbers(event.window) : 2), 0);
}

function windowNumbers({ canaryGroups, latency }: Window): number {
  const perHistogram = latency ? latency.canary.counts.length : 0;
  const histograms = latency ? 3 + latency.canaryGroups.length : 0;
  return 8 + 2 * canaryGroups.length + histograms * perHistogram;
}
