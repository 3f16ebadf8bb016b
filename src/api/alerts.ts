/** Owns which alerts of the metric source a Rollout may name, and what happens while they fire. */
import * as z from 'zod';
import { distinct } from './rules.ts';

/** Matchers in braces, with or without the name of the series before them; what is in the braces, the reader finds out. */
const matchingPattern = /^\s*(ALERTS)?\s*\{[\s\S]*=[\s\S]*\}\s*$/;

const alertSchema = z
  .strictObject({
    matching: z
      .string()
      .min(1)
      .max(1024)
      .regex(matchingPattern)
      .describe(
        'Which alerts, as label matchers in PromQL: {severity="page", service="checkout"}. Only what fires counts, not what is pending.',
      ),
    do: z
      .enum(['hold', 'rollback'])
      .optional()
      .describe(
        'What happens while one of them fires: hold, which makes no step, or rollback, which does what onAnomaly says once it was seen to fire twice in a row. Default: hold.',
      ),
    alsoIfBefore: z
      .boolean()
      .optional()
      .describe(
        'Whether an alert counts that fired already when the release began. One that stopped and fires again counts in any case. Default: false.',
      ),
  })
  .describe('Alerts of the metric source that count while they fire.');

export const alertsSchema = distinct(
  z
    .array(alertSchema)
    .min(1)
    .max(4)
    .describe('Alerts of the same Prometheus that stop the release, or turn it back, while they fire. Default: none.'),
  ['matching'],
);

export type WrittenAlert = z.infer<typeof alertSchema>;
