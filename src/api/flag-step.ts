/** Owns how a Rollout names a feature flag and the variant that is to be served, and the step that turns one on. */
import * as z from 'zod';
import { objectName, pathName } from './text.ts';

/** What says which variant of which flag. */
export const flagFields = {
  source: objectName('Name of the FlagSource, through which the flag is changed.'),
  name: pathName(128, 'Name of the flag, as its backend knows it.'),
  variant: pathName(
    64,
    'The variant that is to be served, as the backend names it; "on" and "off" for a flag that has none.',
  ),
};

export const flagStepSchema = z
  .strictObject({
    ...flagFields,
    percent: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Percentage of the users for whom the variant is served. Default: 100.'),
  })
  .describe(
    'Turns a variant of a feature flag on, at the weight of the step before it. The next step begins when the judge says that it does no harm. It is turned back when the release goes back.',
  );
