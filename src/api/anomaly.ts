/**
 * Owns what a Rollout may ask to be done, one thing after the other, when the judge says that a new version does harm. The
 * last of them is always one that ends it: back, or held for a person.
 */
import * as z from 'zod';
import { DURATION_PATTERN, parseDurationMs } from './duration.ts';
import { flagFields } from './flag-step.ts';
import { withRules } from './rules.ts';
import { duration } from './text.ts';

const SHORTEST_MS = 10_000;
const LONGEST_MS = 30 * 60_000;

/** How long anything but the way back may take: neither so short that nothing is seen, nor so long that users suffer. */
const watching = (description: string) =>
  withRules(duration(description), [
    {
      cel: "duration(self) >= duration('10s') && duration(self) <= duration('30m')",
      message: 'it is observed for at least 10s and at most 30m: write a time between them.',
      holds: (text) =>
        !new RegExp(DURATION_PATTERN).test(text) ||
        (parseDurationMs(text) >= SHORTEST_MS && parseDurationMs(text) <= LONGEST_MS),
    },
  ]);

const rungSchema = withRules(
  z
    .strictObject({
      flag: z
        .strictObject({
          ...flagFields,
          observe: watching(
            'The longest time from the decision to the next rung, with the change of the flag in it. Default: 2m.',
          ).optional(),
        })
        .optional()
        .describe(
          'Serve this variant to everybody and look whether the harm stops. If it does the release goes on and the flag stays as it is until a person changes it; if not the flag is turned back and the next rung is taken.',
        ),
      observe: z
        .strictObject({ for: watching('How long to look again. Default: 2m.').optional() })
        .optional()
        .describe('Stay at the small weight and look again, with nothing but fresh evidence.'),
      notify: z.strictObject({}).optional().describe('Tell people, in an Event, and take the next rung at once.'),
      hold: z
        .strictObject({})
        .optional()
        .describe('Stay at the small weight until a person aborts or another template is applied. Stands last.'),
      rollback: z.strictObject({}).optional().describe('Go back to the old version. Stands last.'),
    })
    .describe('One rung.'),
  [
    {
      cel: '[has(self.flag), has(self.observe), has(self.notify), has(self.hold), has(self.rollback)].exists_one(x, x)',
      message: 'each rung is one of flag, observe, notify, hold and rollback: write one of them.',
      holds: ({ flag, observe, notify, hold, rollback }) =>
        [flag, observe, notify, hold, rollback].filter((one) => one !== undefined).length === 1,
    },
  ],
);

type Rung = z.infer<typeof rungSchema>;

const isEnd = ({ hold, rollback }: Rung): boolean => hold !== undefined || rollback !== undefined;

export const onAnomalySchema = withRules(
  z
    .array(rungSchema)
    .min(1)
    .max(6)
    .describe(
      'What is done, one rung after the other, when the judge says that the new version does harm; the weight is cut first, in any case. Pods that crash or do not become ready, and failed checks, go back at once. Default: rollback.',
    ),
  [
    {
      cel: 'has(self[size(self) - 1].rollback) || has(self[size(self) - 1].hold)',
      message: 'the last rung is rollback or hold, so that harm always comes to an end: add one of them.',
      holds: (rungs) => rungs.slice(-1).some(isEnd),
    },
    {
      cel: 'self.filter(r, has(r.rollback) || has(r.hold)).size() <= 1',
      message: 'nothing comes after rollback or hold: leave them as the last rung and remove the others.',
      holds: (rungs) => rungs.filter(isEnd).length <= 1,
    },
    {
      cel: 'self.filter(r, has(r.flag)).size() <= 3',
      message: 'at most 3 rungs change a flag: users wait for each of them.',
      holds: (rungs) => rungs.filter(({ flag }) => flag !== undefined).length <= 3,
    },
    {
      cel: 'self.all(r, !has(r.flag) || self.exists_one(s, has(s.flag) && s.flag.source == r.flag.source && s.flag.name == r.flag.name))',
      message: 'each flag stands in one rung: remove the second one.',
      holds: (rungs) => {
        const names = rungs.flatMap(({ flag }) => (flag === undefined ? [] : [`${flag.source} ${flag.name}`]));
        return new Set(names).size === names.length;
      },
    },
  ],
);

export type WrittenRung = Rung;
