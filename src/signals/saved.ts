// Owns the form in which evidence survives a restart of the operator: at most 16 KiB of JSON in a Rollout's status.
// It restores exactly what was saved, or nothing.
import { type Course, openCourse, replayed, shortened } from '../analysis/course.ts';
import { judgedAnswer } from '../analysis/explain.ts';
import type { EngineName, JudgeState, MetricState } from '../analysis/judge.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import type { Choice } from './picture.ts';
import type { Learned } from './learned.ts';
import { eventsIn, savedEvents } from './saved-events.ts';
import { type SavedJudge, type SavedMetric, judgeOf, savedJudge } from './saved-judge.ts';
import { pack, pairs, unpack } from './saved-numbers.ts';
import type { Ledger } from './windows.ts';

/**
 * Plain JSON; numbers that a verdict rests on are written bit for bit. The judge is as it was before the events; one that goes
 * on from here takes them into account again.
 */
export interface SavedEvidence extends SavedJudge {
  readonly version: 2;
  /** The attempt that it belongs to: evidence never passes to another one. */
  readonly key: string;
  readonly settings: JudgeSettings;
  /** What has happened to the judge since, so that its verdict can be gone through again. */
  readonly events: string;
  readonly readers: readonly SavedReader[];
  /** The looks at plain limits; the reader of the attempt puts them here. */
  readonly thresholds?: readonly unknown[];
  /** What the settings rest on, of the time before the attempt; the reader puts it here too. */
  readonly learned?: Learned;
  /** Which alerts fired when the attempt began, likewise. */
  readonly alerts?: readonly unknown[];
  /** Which restarts of pods are counted, likewise. */
  readonly restarts?: unknown;
  /** What was learned of the cost, likewise. */
  readonly cost?: unknown;
}

interface SavedReader {
  readonly name: EngineName;
  readonly ledger: SavedLedger;
  readonly choice?: Choice;
}

interface SavedLedger {
  readonly beganMs: number;
  readonly cutMs?: number;
  readonly intervalMs?: number;
  readonly counted: string;
  readonly groups: string;
}

/** What one reader needs beside its judge's state. */
export interface EngineMemory {
  readonly ledger: Ledger;
  readonly choice: Choice | undefined;
}

export interface Restored {
  readonly judge: JudgeState;
  /** How the judge came to be what it is, as far as that is kept. */
  readonly course: Course;
  readonly memories: ReadonlyMap<EngineName, EngineMemory>;
}

/** What status can hold of it. */
const largestBytes = 16 * 1024;
/** How often the events are halved before none of them is kept. */
const mostHalvings = 3;

/** `course`: what is known of how the judge came to be; without it a restored judge cannot tell. */
export function saveEvidence(
  key: string,
  settings: JudgeSettings,
  judge: JudgeState,
  memories: ReadonlyMap<EngineName, EngineMemory>,
  course: Course = openCourse(judge),
): SavedEvidence {
  const readers = [...memories].map(([name, memory]) => ({ name, ...savedMemory(memory) }));
  let kept = course;
  for (let tries = 0; tries < mostHalvings; tries += 1) {
    const whole = savedCourse(key, settings, kept, readers);
    if (bytesOf(whole) <= largestBytes) return whole;
    kept = shortened(kept, settings);
  }
  return fitting(savedCourse(key, settings, openCourse(judge), readers));
}

function savedCourse(
  key: string,
  settings: JudgeSettings,
  { from, events }: Course,
  readers: readonly SavedReader[],
): SavedEvidence {
  return { version: 2, key, settings, ...savedJudge(from), events: savedEvents(events), readers };
}

/** Undefined when it belongs to another attempt or other settings, or was not written by this version. */
export function restoreEvidence(saved: SavedEvidence, key: string, settings: JudgeSettings): Restored | undefined {
  if (saved.version !== 2 || saved.key !== key) return undefined;
  if (canonical(saved.settings) !== canonical(settings)) return undefined;
  try {
    const from = judgeOf(saved, settings);
    const memories = saved.readers.map((reader) => [reader.name, memoryOf(reader)] as const);
    if (!isSound(from, settings)) return undefined;
    const events = eventsIn(saved.events);
    const judge = replayed(from, events, settings);
    return isSound(judge, settings)
      ? { judge, course: { from, events, judge }, memories: new Map(memories) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Status is text that anybody with the right may have edited: what no answer can be made of is found here, not later. */
function isSound(judge: JudgeState, settings: JudgeSettings): boolean {
  const { mode, modeSinceMs, stepSinceMs, stepKey, isHarmful, culprit, metrics } = judge;
  const times = [judge.firstRequestMs, judge.newestMs, judge.harmfulMs].filter((time) => time !== undefined);
  const isKnown =
    ['twoArms', 'bake'].includes(mode) &&
    [modeSinceMs, stepSinceMs, ...times].every(Number.isFinite) &&
    [stepKey, culprit].every((words) => ['string', 'undefined'].includes(typeof words)) &&
    typeof isHarmful === 'boolean' &&
    metrics.length === settings.metrics.length &&
    metrics.every((metric, index) => metric.name === settings.metrics[index]?.name && areKnown(metric)) &&
    metrics.some(({ engines }) => engines.length > 0);
  // Throws where something is missing inside.
  return isKnown && Number.isFinite(judgedAnswer(judge, settings, 0, false).totalRequestsPerSecond);
}

function areKnown({ name, engines }: MetricState): boolean {
  return engines.every((engine) => ['gateway', 'app', 'restarts', `query:${name}`].includes(engine.name));
}

/** First the history for display goes, then the marks of single targets: then the last cut stands for all of them. */
function fitting(saved: SavedEvidence): SavedEvidence {
  if (bytesOf(saved) <= largestBytes) return saved;
  const plain = { ...saved, metrics: saved.metrics.map(withoutHistory) };
  if (bytesOf(plain) <= largestBytes) return plain;
  return { ...plain, readers: plain.readers.map((reader) => ({ ...reader, ledger: withoutMarks(reader.ledger) })) };
}

function withoutHistory({ name, engines }: SavedMetric): SavedMetric {
  return { name, engines: engines.map((engine) => ({ ...engine, tuples: '' })) };
}

function withoutMarks(ledger: SavedLedger): SavedLedger {
  return { ...ledger, beganMs: ledger.cutMs ?? ledger.beganMs, counted: '', groups: '' };
}

function savedMemory({ ledger, choice }: EngineMemory): Omit<SavedReader, 'name'> {
  return {
    ledger: {
      beganMs: ledger.beganMs,
      ...(ledger.cutMs === undefined ? {} : { cutMs: ledger.cutMs }),
      ...(ledger.intervalMs === undefined ? {} : { intervalMs: ledger.intervalMs }),
      counted: pack([...ledger.countedMs].flat()),
      groups: pack([...ledger.groups].flat()),
    },
    ...(choice ? { choice } : {}),
  };
}

function memoryOf({ ledger, choice }: SavedReader): EngineMemory {
  const { beganMs, cutMs = 0, intervalMs = 1 } = ledger;
  if (![beganMs, cutMs, intervalMs].every(Number.isFinite) || intervalMs <= 0) throw new Error('a time is no time');
  return {
    ledger: {
      beganMs: ledger.beganMs,
      cutMs: ledger.cutMs,
      intervalMs: ledger.intervalMs,
      countedMs: new Map(pairs(unpack(ledger.counted))),
      groups: new Map(pairs(unpack(ledger.groups))),
    },
    choice,
  };
}

function bytesOf(saved: SavedEvidence): number {
  return Buffer.byteLength(JSON.stringify(saved));
}

/** The API server may return the fields in another order. */
function canonical(thing: unknown): string {
  return JSON.stringify(thing, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
