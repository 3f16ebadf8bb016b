/**
 * What Serin remembers and shows in the status of a Rollout: for people (phase, message, conditions) and for itself
 * (the journal, from which any crash resumes). Human intent never stands here.
 */
import * as z from 'zod';
import { pinnedSpecSchema } from './pinned.ts';

const name = z.string().max(253);
const hash = z.string().max(32);
const sentence = z.string().max(2048);
const uid = z.string().max(64);
const time = z.string().max(40);
const epochMs = z.int();

const conditionSchema = z
  .object({
    type: z.enum(['Ready', 'Reconciling', 'Stalled', 'Guarded', 'Judged']).describe('What the condition speaks of.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    reason: z.string().max(64).describe('One word from the documented list of reasons.'),
    message: sentence.describe('One sentence for people.'),
    lastTransitionTime: time.describe('When the status last changed.'),
    observedGeneration: z.int().optional().describe('The generation of the Rollout that this speaks of.'),
  })
  .describe('A condition with the meaning that kstatus gives it.');

const stableSchema = z
  .object({
    uid: uid.describe('UID of the ReplicaSet that serves the stable revision.'),
    name: name.describe('Name of that ReplicaSet.'),
    hash: hash.describe('Its pod-template-hash.'),
    image: z.string().max(1024).describe('Image of its first container.'),
    since: time.describe('When it became stable.'),
  })
  .describe('The revision that takes all traffic at rest.');

const canarySchema = z
  .object({
    hash: hash.describe('pod-template-hash of the new revision.'),
    image: z.string().max(1024).describe('Image of its first container.'),
    weight: z.number().describe('Percent of requests that the routes send to it now.'),
    replicas: z.int().describe('Pods asked for.'),
    ready: z.int().describe('Pods that are ready.'),
    step: z.int().describe('The current step, counted from 1; the bake counts as the last.'),
    steps: z.int().describe('Number of steps, with the bake.'),
  })
  .describe('The revision under release.');

const quarantineSchema = z
  .object({
    hash: hash.describe('pod-template-hash of the rejected revision.'),
    reason: z.string().max(64).describe('Why, one word.'),
    message: sentence.describe('Why, one sentence.'),
    at: time.describe('When it was rejected.'),
    record: name.describe('The ReleaseRecord of the attempt.'),
  })
  .describe('A revision that does not run again until a person says retry.');

/** Why an attempt goes back. Closed list. */
export const RETREATS = [
  'harm',
  'check',
  'crash',
  'notReady',
  'aborted',
  'superseded',
  'cancelled',
  'detached',
  'notJudged',
  'bypassed',
  'escaped',
  'unknownPast',
] as const;

const retreatSchema = z
  .object({
    why: z.enum(RETREATS).describe('The cause.'),
    reason: z.string().max(64).describe('The documented reason.'),
    message: sentence.describe('One sentence, rates and counts first.'),
    atMs: epochMs.describe('When it was decided.'),
    zeroAtMs: epochMs.optional().describe('When every route was seen to send nothing to the canary.'),
  })
  .describe('The latched decision to go back; nothing but a retry by a person lifts it.');

const foregoneSchema = (what: string) =>
  z
    .object({
      atMs: epochMs.describe('When the judge said so.'),
      reason: z.string().max(64).describe('The documented reason.'),
      message: sentence.describe('One sentence, rates and counts first.'),
    })
    .optional()
    .describe(what);

const wouldHaveSchema = z
  .object({
    braked: foregoneSchema('When and why the weight would have been cut first.'),
    rolledBack: foregoneSchema('When and why it would have been rolled back.'),
  })
  .describe('In mode observe: what would have been done.');

const attemptSchema = z
  .object({
    number: z.int().describe('Counts the attempts of this Rollout.'),
    hash: hash.describe('The revision it concerns, and no other.'),
    image: z.string().max(1024).describe('Image of its first container.'),
    record: name.describe('Its ReleaseRecord, the anchor of the canary.'),
    replicaSet: name.describe('Name of the canary ReplicaSet.'),
    replicaSetUid: uid.optional().describe('UID of the canary ReplicaSet once it was seen.'),
    targetUid: uid.describe('UID of the Deployment.'),
    spec: pinnedSpecSchema,
    parents: z
      .array(z.string().max(600).describe('A gateway, its section and the controller that serves it.'))
      .max(64)
      .describe('Gateways that served the routes when the attempt began; only they are asked about convergence.'),
    beganAtMs: epochMs.describe('When the attempt began.'),
    stage: z.enum(['begin', 'step', 'bake', 'promote', 'retreat']).describe('Where in its life the attempt is.'),
    stageSinceMs: epochMs.describe('Since when.'),
    step: z.int().describe('Index of the current step.'),
    weightPercent: z.number().describe('The weight that was decided; routes follow.'),
    weightSinceMs: epochMs.describe('When that weight was decided.'),
    convergedAtMs: epochMs.optional().describe('When every route had converged on it.'),
    noSource: z.boolean().describe('True when no metric source was configured when the attempt began.'),
    pausedBy: z.string().max(256).optional().describe('Who paused it.'),
    skippedStep: z.int().optional().describe('Index of the step whose waiting a person skipped.'),
    promotedBy: z.string().max(256).optional().describe('Who asked to promote without further waiting.'),
    brake: z
      .object({
        sinceMs: epochMs.describe('Since when.'),
        weightPercent: z.number().describe('The weight that the brake allows.'),
        message: sentence.describe('Why, in one sentence.'),
        crash: z.boolean().describe('True when crashing pods and not failed requests are the cause.'),
      })
      .optional()
      .describe('Set while the weight is cut because of doubt.'),
    bakeBrakes: z.int().optional().describe('How often the bake was braked.'),
    wouldHave: wouldHaveSchema.optional(),
    maxSurge: z.string().max(16).optional().describe('The maxSurge of the Deployment before the handover.'),
    retreat: retreatSchema.optional(),
  })
  .describe('The attempt under way.');

const journalSchema = z
  .object({
    version: z.int().describe('Version of the journal; a newer one makes an older Serin hold.'),
    targetUid: uid.optional().describe('UID of the Deployment that Serin is attached to.'),
    attempts: z.int().describe('Attempts so far.'),
    handledActions: z
      .array(name.describe('Name of a RolloutAction.'))
      .max(8)
      .describe('The last RolloutActions that took effect; none takes effect twice.'),
    attempt: attemptSchema.optional(),
  })
  .describe('What a restarted Serin goes on from.');

export const rolloutStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The generation of the Rollout that was last acted on.'),
    phase: z.string().max(32).optional().describe('One word of the documented list of phases.'),
    reason: z.string().max(64).optional().describe('One word of the documented list of reasons.'),
    message: sentence.optional().describe('What is going on, in one sentence.'),
    step: z.string().max(16).optional().describe('Current step of all steps, for people.'),
    verdict: z.string().max(32).optional().describe('What the judge says now.'),
    nextTransitionAt: time.optional().describe('When something happens by itself next, if that is known.'),
    stable: stableSchema.optional(),
    canary: canarySchema.optional(),
    quarantined: z.array(quarantineSchema).max(5).optional().describe('Rejected revisions, newest first.'),
    conditions: z
      .array(conditionSchema)
      .max(8)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .describe('Conditions as kstatus reads them.'),
    evidence: z
      .looseObject({})
      .optional()
      .describe('Counts and evidence of the attempt, and the state that a restarted judge goes on from.'),
    journal: journalSchema.optional(),
  })
  .describe('Written by Serin alone.');

export type RolloutStatus = z.infer<typeof rolloutStatusSchema>;
export type Journal = z.infer<typeof journalSchema>;
export type Attempt = z.infer<typeof attemptSchema>;
export type Retreat = z.infer<typeof retreatSchema>;
export type StableRevision = z.infer<typeof stableSchema>;
export type Quarantine = z.infer<typeof quarantineSchema>;
export type Condition = z.infer<typeof conditionSchema>;

/** 2: checks, several metrics and the mode are pinned with an attempt; one that an older Serin pinned is read all the same. */
export const JOURNAL_VERSION = 2;
