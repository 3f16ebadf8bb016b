/**
 * Owns what is kept of one attempt to release a revision. While the attempt runs the record is also the anchor that owns
 * the new version's objects, so it must never depend on anything a user may delete.
 */
import * as z from 'zod';
import { pinnedAnalysisSchema, pinnedLadderSchema, pinnedStrategySchema, pinnedTrafficSchema } from './pinned.ts';
import { immutable } from './rules.ts';
import { moment, objectName, revisionHash, text } from './text.ts';

const milliseconds = (description: string) => z.int().min(0).describe(description);

export const releaseRecordSpecSchema = immutable(
  z
    .strictObject({
      rollout: objectName('The Rollout whose attempt this was.'),
      rolloutUid: text(64, 'UID of that Rollout.'),
      deployment: objectName('The Deployment that was released.'),
      deploymentUid: text(64, 'UID of that Deployment.'),
      revision: revisionHash('The revision that was to be released, as its pod-template-hash.'),
      image: text(4096, 'Images of the containers of that revision, for people.').optional(),
      attempt: z.int().min(1).describe('Which attempt of this Rollout, counted from 1.'),
      previousRevision: revisionHash('The revision that was stable when the attempt began.').optional(),
      traffic: pinnedTrafficSchema,
      strategy: pinnedStrategySchema,
      analysis: pinnedAnalysisSchema,
      onAnomaly: pinnedLadderSchema,
    })
    .describe('What was to be released, and how. Written once.'),
  'a release record is history and cannot be edited.',
);

/** How an attempt can end. */
const releaseOutcomes = [
  'Promoted',
  'RolledBack',
  'Superseded',
  'Cancelled',
  'Detached',
  'Aborted',
  'NotJudged',
  'Bypassed',
  'Escaped',
  'Unknown',
] as const;
export type ReleaseOutcome = (typeof releaseOutcomes)[number];

const requestCountsSchema = z
  .strictObject({
    requests: z.int().min(0).describe('Requests that were counted.'),
    failed: z.int().min(0).describe('How many of them failed.'),
  })
  .describe('Requests during the attempt.');

const foregoneSchema = (what: string) =>
  z
    .strictObject({
      at: moment('When the judge said so.'),
      reason: text(64, 'Why, as one of the documented reasons.'),
      message: text(2048, 'Why, in one sentence.'),
    })
    .optional()
    .describe(what);

export const releaseRecordStatusSchema = z
  .strictObject({
    outcome: z.enum(releaseOutcomes).optional().describe('How the attempt ended; absent while it runs.'),
    reason: text(64, 'Why, as one of the documented reasons.').optional(),
    message: text(2048, 'Why, in one sentence.').optional(),
    wouldHave: z
      .strictObject({
        braked: foregoneSchema('When and why the weight would have been cut first.'),
        rolledBack: foregoneSchema('When and why it would have been rolled back.'),
      })
      .optional()
      .describe('In mode observe: what would have been done about what the judge said.'),
    ladder: z
      .array(
        z
          .strictObject({
            rung: text(16, 'What was done: flag, observe, notify, hold or rollback; stepFlag: a flag step was undone.'),
            at: moment('When it was decided or had its outcome.'),
            sentence: text(512, 'What it did, and what it changed in the evidence.'),
          })
          .describe('One rung.'),
      )
      .max(8)
      .optional()
      .describe('What was done about harm, rung by rung.'),
    startedAt: moment('When the attempt began.').optional(),
    endedAt: moment('When it had ended.').optional(),
    timings: z
      .strictObject({
        detectMs: milliseconds(
          'From the first failed request of the new version to the decision, in milliseconds.',
        ).optional(),
        actMs: milliseconds(
          'From the decision until no request went to the rejected version, in milliseconds.',
        ).optional(),
        verifyMs: milliseconds('From then until all was in its place, in milliseconds.').optional(),
      })
      .optional()
      .describe('How long it took.'),
    evidence: z
      .strictObject({
        stable: requestCountsSchema.describe('Requests of the old version during the attempt.'),
        canary: requestCountsSchema.describe('Requests of the new version during the attempt.'),
        harmOdds: z
          .number()
          .min(0)
          .optional()
          .describe('Evidence that the new version is worse than tolerated, as odds: 412 means 412 : 1.'),
        acceptOdds: z
          .number()
          .min(0)
          .optional()
          .describe('Evidence that the new version is not unacceptably worse, as odds.'),
      })
      .optional()
      .describe('What the judge had seen when the attempt ended.'),
  })
  .describe('How the attempt went.');

export type ReleaseRecordSpec = z.infer<typeof releaseRecordSpecSchema>;
export type ReleaseRecordStatus = z.infer<typeof releaseRecordStatusSchema>;
