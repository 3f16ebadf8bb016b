/** The answers that a judge may give in the abstract cluster. */
import type { Answer, Judged } from '../../src/analysis/answer.ts';
import { judged as sampleAnswer } from '../../src/release/sample-world.ts';

const judged = (part: Partial<Judged>): Judged =>
  sampleAnswer({
    canaryRequests: 100,
    stableRequests: 900,
    stableErrors: 0,
    freshAtMs: 0,
    sentence: 'judged',
    ...part,
  });

export const ANSWERS = {
  none: { kind: 'noEvidence', reason: 'waiting', sentence: 'waiting' },
  mute: { kind: 'noEvidence', reason: 'unanswered', sentence: 'mute' },
  little: judged({}),
  good: judged({ stepAcceptable: true, finalAcceptable: true, brakeReleasable: true }),
  /** All of it was shown before the present step, or before a brake. */
  before: judged({ finalAcceptable: true, brakeReleasable: true }),
  doubt: judged({ level: 'doubt' }),
  brake: judged({ level: 'brake' }),
  harmful: judged({ level: 'harmful' }),
  /** Nothing wrong with it but what it costs. */
  dear: judged({
    stepAcceptable: true,
    finalAcceptable: true,
    brakeReleasable: true,
    cost: { state: 'dearer', do: 'hold', sentence: 'dear' },
  }),
  dearBack: judged({ stepAcceptable: true, cost: { state: 'dearer', do: 'rollback', sentence: 'dear' } }),
  /** With a flag both versions got worse. */
  shifted: judged({ stableShift: { harmful: true, sentence: 'shifted' } }),
  down: { kind: 'sourceDown', sinceMs: 0, everAnswered: true, sentence: 'down' },
  never: { kind: 'sourceDown', sinceMs: 0, everAnswered: false, sentence: 'never answered' },
  noSource: { kind: 'noSource' },
} as const satisfies Readonly<Record<string, Answer>>;
export type AnswerName = keyof typeof ANSWERS;
