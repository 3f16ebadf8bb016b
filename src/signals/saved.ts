// Owns the form in which evidence survives a restart of the operator: at most 16 KiB of JSON in a Rollout's status.
// It restores exactly what was saved, or nothing.
import type { BakeState, EngineState } from '../analysis/engine.ts';
import { judgedAnswer } from '../analysis/explain.ts';
import { openHarm } from '../analysis/harm.ts';
import type { EngineName, JudgeState } from '../analysis/judge.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import type { Choice } from './picture.ts';
import {
  countsOf,
  pack,
  pairs,
  savedCounts,
  savedTuples,
  savedWealth,
  tuplesOf,
  unpack,
  wealthOf,
} from './saved-numbers.ts';
import type { Ledger } from './windows.ts';

/** Plain JSON; numbers that a verdict rests on are float64 in base64, so nothing is rounded. */
export interface SavedEvidence {
  readonly version: 1;
  /** The attempt that it belongs to: evidence never passes to another one. */
  readonly key: string;
  readonly settings: JudgeSettings;
  readonly judge: Omit<JudgeState, 'engines'>;
  readonly engines: readonly SavedEngine[];
}

interface SavedEngine {
  readonly name: EngineName;
  readonly harm: readonly string[];
  readonly accept: string;
  readonly stepAccept: string;
  readonly harmWithout: readonly (readonly string[])[];
  readonly groups: string;
  readonly totals: string;
  readonly windows: number;
  readonly windowMs: number;
  readonly tuples: string;
  readonly bake?: SavedBake;
  readonly ledger: SavedLedger;
  readonly choice?: Choice;
}

interface SavedBake {
  readonly baseline?: BakeState['baseline'];
  readonly detectors: readonly [string, string];
  readonly detectorsWithout: readonly (readonly [string, string])[];
  readonly groups: string;
  readonly canary: string;
}

interface SavedLedger {
  readonly beganMs: number;
  readonly cutMs?: number;
  readonly intervalMs?: number;
  readonly counted: string;
  readonly groups: string;
}

/** What one engine needs beside its judge's state. */
export interface EngineMemory {
  readonly ledger: Ledger;
  readonly choice: Choice | undefined;
}

export interface Restored {
  readonly judge: JudgeState;
  readonly memories: ReadonlyMap<EngineName, EngineMemory>;
}

/** What status can hold of it. */
const largestBytes = 16 * 1024;

export function saveEvidence(
  key: string,
  settings: JudgeSettings,
  { engines, ...judge }: JudgeState,
  memories: ReadonlyMap<EngineName, EngineMemory>,
): SavedEvidence {
  const all = engines.flatMap(({ name, state }) => {
    const memory = memories.get(name);
    return memory ? [{ name, ...savedState(state), ...savedMemory(memory) }] : [];
  });
  return fitting({ version: 1, key, settings, judge, engines: all });
}

/** Undefined when it belongs to another attempt or other settings, or was not written by this version. */
export function restoreEvidence(saved: SavedEvidence, key: string, settings: JudgeSettings): Restored | undefined {
  if (saved.version !== 1 || saved.key !== key) return undefined;
  if (canonical(saved.settings) !== canonical(settings)) return undefined;
  try {
    const engines = saved.engines.map((engine) => ({ name: engine.name, state: stateOf(engine) }));
    const memories = saved.engines.map((engine) => [engine.name, memoryOf(engine)] as const);
    const judge = { ...saved.judge, stepKey: saved.judge.stepKey, engines };
    return isSound(judge, settings) ? { judge, memories: new Map(memories) } : undefined;
  } catch {
    return undefined;
  }
}

/** Status is text that anybody with the right may have edited: what no answer can be made of is found here, not later. */
function isSound(judge: JudgeState, settings: JudgeSettings): boolean {
  const { mode, modeSinceMs, stepSinceMs, stepKey, isHarmful, engines } = judge;
  const bets = openHarm(settings).length;
  const isKnown =
    ['twoArms', 'bake'].includes(mode) &&
    [modeSinceMs, stepSinceMs].every(Number.isFinite) &&
    ['string', 'undefined'].includes(typeof stepKey) &&
    typeof isHarmful === 'boolean' &&
    engines.length > 0 &&
    engines.every(({ name, state }) => ['gateway', 'app'].includes(name) && state.harm.length === bets);
  // Throws where something is missing inside.
  return isKnown && Number.isFinite(judgedAnswer(judge, settings, 0, false).totalRequestsPerSecond);
}

/** First the history for display goes, then the marks of single targets: then the last cut stands for all of them. */
function fitting(saved: SavedEvidence): SavedEvidence {
  if (bytesOf(saved) <= largestBytes) return saved;
  const plain = { ...saved, engines: saved.engines.map((engine) => ({ ...engine, tuples: '' })) };
  if (bytesOf(plain) <= largestBytes) return plain;
  return { ...plain, engines: plain.engines.map((engine) => ({ ...engine, ledger: withoutMarks(engine.ledger) })) };
}

function withoutMarks(ledger: SavedLedger): SavedLedger {
  return { ...ledger, beganMs: ledger.cutMs ?? ledger.beganMs, counted: '', groups: '' };
}

function savedState(state: EngineState): Omit<SavedEngine, 'name' | 'ledger' | 'choice'> {
  return {
    harm: state.harm.map(savedWealth),
    accept: savedWealth(state.accept),
    stepAccept: savedWealth(state.stepAccept),
    harmWithout: state.harmWithout.map((evidence) => evidence.map(savedWealth)),
    groups: savedCounts(state.groups),
    totals: savedCounts([state.totals.canary, state.totals.stable]),
    windows: state.windows,
    windowMs: state.windowMs,
    tuples: savedTuples(state.tuples),
    ...(state.bake ? { bake: savedBake(state.bake) } : {}),
  };
}

function stateOf(saved: SavedEngine): EngineState {
  const [canary, stable] = countsOf(saved.totals);
  if (!canary || !stable) throw new Error('totals are incomplete');
  return {
    harm: saved.harm.map(wealthOf),
    accept: wealthOf(saved.accept),
    stepAccept: wealthOf(saved.stepAccept),
    harmWithout: saved.harmWithout.map((evidence) => evidence.map(wealthOf)),
    groups: countsOf(saved.groups),
    totals: { canary, stable },
    windows: saved.windows,
    windowMs: saved.windowMs,
    tuples: tuplesOf(saved.tuples),
    bake: saved.bake ? bakeOf(saved.bake) : undefined,
  };
}

function savedBake({ baseline, detectors, detectorsWithout, groups, canary }: BakeState): SavedBake {
  return {
    ...(baseline ? { baseline } : {}),
    detectors: savedDetectors(detectors),
    detectorsWithout: detectorsWithout.map(savedDetectors),
    groups: savedCounts(groups),
    canary: savedCounts([canary]),
  };
}

function bakeOf(saved: SavedBake): BakeState {
  const [canary] = countsOf(saved.canary);
  if (!canary) throw new Error('the bake has no counts');
  return {
    baseline: saved.baseline,
    detectors: detectorsOf(saved.detectors),
    detectorsWithout: saved.detectorsWithout.map(detectorsOf),
    groups: countsOf(saved.groups),
    canary,
  };
}

function savedDetectors({ logEvidence, logUncapped }: BakeState['detectors']): readonly [string, string] {
  return [pack(logEvidence), pack(logUncapped)];
}

function detectorsOf([logEvidence, logUncapped]: readonly [string, string]): BakeState['detectors'] {
  return { logEvidence: unpack(logEvidence), logUncapped: unpack(logUncapped) };
}

function savedMemory({ ledger, choice }: EngineMemory): Pick<SavedEngine, 'ledger' | 'choice'> {
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

function memoryOf({ ledger, choice }: SavedEngine): EngineMemory {
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
