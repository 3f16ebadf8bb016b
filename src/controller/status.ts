/** Turns the status of a Rollout into what Serin remembers, and a decision into the next status; it never writes and never judges. */
import {
  type Condition,
  type Journal,
  JOURNAL_VERSION,
  type RolloutStatus,
  rolloutStatusSchema,
} from '../api/rollout-status.ts';
import type { Report } from '../release/decision.ts';
import { isoTime } from '../release/time.ts';
import { canarySet, exposedPercent } from '../release/views.ts';
import type { Memory, World } from '../release/world.ts';

export interface Remembered {
  readonly memory: Memory;
  /** False when status held no journal that this Serin can read: its past is unknown (S18). */
  readonly hasJournal: boolean;
  readonly conditions: readonly Condition[];
  /** As it stands in status; only the collector knows its shape. */
  readonly evidence: unknown;
}

const parts = rolloutStatusSchema.shape;

/**
 * Each part is read by itself: one that is unreadable is as if it were lost, and the core goes on from the objects.
 * Of a journal that a newer Serin wrote only its version is taken, by which the core knows to hold.
 */
export function readStatus(raw: unknown): Remembered {
  const status = isRecord(raw) ? raw : {};
  const journal = journalIn(status['journal']);
  return {
    memory: {
      journal: journal ?? { version: JOURNAL_VERSION, attempts: 0, handledActions: [] },
      stable: partOf(parts.stable, status['stable']),
      quarantined: partOf(parts.quarantined, status['quarantined']) ?? [],
    },
    hasJournal: journal !== undefined,
    conditions: partOf(parts.conditions, status['conditions']) ?? [],
    evidence: status['evidence'],
  };
}

function journalIn(raw: unknown): Journal | undefined {
  const journal = partOf(parts.journal, raw);
  if (journal !== undefined) return brought(journal);
  const version = isRecord(raw) ? raw['version'] : undefined;
  const isNewer = typeof version === 'number' && version > JOURNAL_VERSION;
  return isNewer ? { version, attempts: 0, handledActions: [] } : undefined;
}

/** An attempt that an older Serin pinned is written down in the present form, which that one could not read any more. */
function brought(journal: Journal): Journal {
  const isOld = journal.attempt !== undefined && journal.version < JOURNAL_VERSION;
  return isOld ? { ...journal, version: JOURNAL_VERSION } : journal;
}

interface Reader<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

function partOf<T>(schema: Reader<T>, value: unknown): T | undefined {
  const read = schema.safeParse(value);
  return read.success ? read.data : undefined;
}

/** What a new status is made of. */
export interface StatusParts {
  readonly world: World;
  readonly memory: Memory;
  readonly report: Report;
  readonly conditions: readonly Condition[];
  /** Undefined leaves what is there: the last attempt's evidence stays readable until the next one begins. */
  readonly evidence: RolloutStatus['evidence'];
}

/** The parts of status that Serin owns after a decision. */
export function statusOf({ world, memory, report, conditions, evidence }: StatusParts): RolloutStatus {
  const { attempt } = memory.journal;
  const told = toldOf(world.rollout.generation, report, conditions);
  if (memory.journal.version > JOURNAL_VERSION) return told;
  const canary = attempt === undefined ? undefined : canaryOf(world, memory);
  return {
    ...told,
    ...(canary === undefined ? {} : { canary, step: `${canary.step}/${canary.steps}` }),
    ...(memory.stable === undefined ? {} : { stable: memory.stable }),
    ...(memory.quarantined.length === 0 ? {} : { quarantined: [...memory.quarantined] }),
    ...(evidence === undefined ? {} : { evidence }),
    journal: memory.journal,
  };
}

/** Only what people read: all that may be written over the status of a newer Serin. */
export function toldOf(generation: number, report: Report, conditions: readonly Condition[]): RolloutStatus {
  return {
    observedGeneration: generation,
    phase: report.phase,
    reason: report.reason,
    message: report.message.slice(0, 2048),
    ...(report.verdict === undefined ? {} : { verdict: report.verdict.slice(0, 32) }),
    ...(report.nextTransitionAtMs === undefined ? {} : { nextTransitionAt: isoTime(report.nextTransitionAtMs) }),
    conditions: [...conditions],
  };
}

function canaryOf(world: World, memory: Memory): RolloutStatus['canary'] {
  const { attempt } = memory.journal;
  if (attempt === undefined) return undefined;
  const set = canarySet(world, attempt);
  const steps = attempt.spec.strategy.steps.length + 1;
  const isPastSteps = attempt.stage === 'bake' || attempt.stage === 'promote';
  return {
    hash: attempt.hash,
    image: attempt.image,
    weight: exposedPercent(world, attempt),
    replicas: set?.replicas ?? 0,
    ready: set?.ready ?? 0,
    step: isPastSteps ? steps : Math.min(attempt.step + 1, steps),
    steps,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
