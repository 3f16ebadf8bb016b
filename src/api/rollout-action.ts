/** Owns what one human act on a Rollout looks like: written once, never edited, answered in its status. */
import * as z from 'zod';
import { withRules } from './rules.ts';
import { moment, objectName, revisionHash, text } from './text.ts';

/** What a person may ask for; each is explained where the program offers it. */
const rolloutActions = ['pause', 'resume', 'abort', 'retry', 'promote', 'skip', 'restoreFlags'] as const;

const aboutTheWholeRollout: ReadonlySet<string> = new Set(['pause', 'resume', 'restoreFlags']);

export const rolloutActionSpecSchema = withRules(
  z
    .strictObject({
      rollout: objectName('Name of the Rollout, in the same namespace.'),
      action: z
        .enum(rolloutActions)
        .describe(
          'pause and resume: stop and continue a release where it stands. abort: roll back and do not run this revision again. retry: let a rolled-back revision run again. promote: skip waiting and missing evidence. skip: skip the waiting of one step. restoreFlags: put back every flag that Serin changed because of harm.',
        ),
      revision: revisionHash(
        'The revision that the act is about, as its pod-template-hash. An act about another revision is refused.',
      ).optional(),
      reason: text(500, 'Why, in the words of the person.').optional(),
      by: text(512, 'Who asked: stamped by the API server with the name of the requesting user.').min(1),
    })
    .describe('One act of one person.'),
  [
    {
      cel: "self.action in ['pause', 'resume', 'restoreFlags'] || has(self.revision)",
      message:
        'this action concerns one revision: name it in spec.revision, so that it cannot hit a newer one by accident.',
      holds: (spec) => aboutTheWholeRollout.has(spec.action) || spec.revision !== undefined,
    },
    { cel: 'self == oldSelf', message: 'an action cannot be edited: create another one.' },
  ],
);

export const rolloutActionStatusSchema = z
  .strictObject({
    state: z.enum(['Accepted', 'Refused']).describe('Whether Serin does what was asked.'),
    at: moment('When that was decided.'),
    message: text(1024, 'What happens now, or why the action was refused.'),
  })
  .describe("Serin's answer.");

export type RolloutActionSpec = z.infer<typeof rolloutActionSpecSchema>;
export type RolloutActionStatus = z.infer<typeof rolloutActionStatusSchema>;
