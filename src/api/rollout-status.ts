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

/** How far a change of a flag has come. Closed list. */
const FLAG_STATES = [
  /** The backend is being read; nothing was written. */
  'planning',
  /** What was there before stands in `previous`; the write may have happened. */
  'planned',
  /** Read back as the fleet evaluates it. */
  'served',
  /** Served, it was the cause of harm: nobody but a person turns it back. */
  'latched',
  /** Being put back. */
  'reverting',
  /** Put back; kept while the attempt that turned it runs, so that it is not turned again. */
  'reverted',
  /** Somebody changed it since and it was left alone. */
  'kept',
  /** It could not be put back in time; a person was told. */
  'failed',
] as const;

const flagEntrySchema = z
  .object({
    id: z.string().max(64).describe('Names the change: one effective write for each.'),
    source: name.describe('The FlagSource.'),
    flag: z.string().max(128).describe('Name of the flag.'),
    variant: z.string().max(64).describe('What is to be served.'),
    percent: z.int().optional().describe('Percentage of the users; absent: all of them.'),
    why: z.enum(['anomaly', 'step']).describe('Because of harm, or as a step.'),
    revision: hash.describe('The revision under release.'),
    attempt: z.int().describe('The attempt.'),
    state: z.enum(FLAG_STATES).describe('How far it has come.'),
    previous: z
      .string()
      .max(2048)
      .optional()
      .describe('What was there before, written down before the write; absent: nothing was written.'),
    sinceMs: epochMs.describe('Since when it is in this state.'),
    servedAtMs: epochMs.optional().describe('When it was seen to be served.'),
    message: z.string().max(512).optional().describe('What happened to it, in one sentence.'),
  })
  .describe('One change of a flag.');

const countsSchema = z
  .object({
    canaryRequests: z.number().describe('Requests of the new version.'),
    canaryErrors: z.number().describe('How many of them were bad.'),
    stableRequests: z.number().describe('Requests of the old version.'),
    stableErrors: z.number().describe('How many of them were bad.'),
    culprit: z.string().max(63).optional().describe('The metric that carried the verdict.'),
    excess: z.number().describe('Share of bad requests of the new version beyond that of the old one, 0 to 1.'),
  })
  .describe('Counts of the metric that carried the verdict.');

const ladderSchema = z
  .object({
    rung: z.int().describe('Index of the rung that was taken last; -1: flag steps were undone.'),
    next: z.int().describe('Index of the rung that comes after it.'),
    beganAtMs: epochMs.describe('When the harm was judged.'),
    sinceMs: epochMs.describe('When the rung was taken.'),
    cause: z
      .object({
        kind: z.enum(['judge', 'alert', 'cost']).describe('Who says so.'),
        reason: z.string().max(64).describe('The documented reason.'),
        message: sentence.describe('One sentence, rates and counts first.'),
      })
      .describe('The harm.'),
    observeFromMs: epochMs.optional().describe('Since when fresh evidence is looked at.'),
    before: countsSchema.optional(),
    after: countsSchema.optional(),
    endedAtMs: epochMs.optional().describe('Set: the harm was gone then, and the release went on.'),
    done: z
      .array(
        z
          .object({
            rung: z.int().describe('Index of the rung.'),
            kind: z.string().max(16).describe('What it was.'),
            atMs: epochMs.describe('When it was so.'),
            sentence: z.string().max(512).describe('What it did.'),
          })
          .describe('One rung.'),
      )
      .max(8)
      .describe('What was done so far.'),
  })
  .describe('What is being done about harm, rung by rung.');

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
    epoch: z.int().optional().describe('Counts fresh judges: how often evidence was begun anew; absent: never.'),
    epochAtMs: epochMs.optional().describe('When evidence was begun anew.'),
    ladder: ladderSchema.optional(),
    flagHarm: z
      .object({
        step: z.int().describe('Index of the step that waits for a person.'),
        message: z.string().max(1024).describe('Why, in one sentence.'),
        atMs: epochMs.describe('Since when.'),
      })
      .optional()
      .describe('Set while it waits because a flag step made both versions worse.'),
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
    flags: z.array(flagEntrySchema).max(8).optional().describe('Changes of flags that are not over.'),
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
export type FlagEntry = z.infer<typeof flagEntrySchema>;
export type Ladder = z.infer<typeof ladderSchema>;
export type HarmCounts = z.infer<typeof countsSchema>;
export type StableRevision = z.infer<typeof stableSchema>;
export type Quarantine = z.infer<typeof quarantineSchema>;
export type Condition = z.infer<typeof conditionSchema>;

/**
 * 2: checks, several metrics and the mode are pinned with an attempt. 3: the ladder, flags and alerts are. What an older
 * Serin pinned is read all the same.
 */
export const JOURNAL_VERSION = 3;
