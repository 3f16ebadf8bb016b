/** Owns how an HTTP header is written in a spec: a name and a value that cannot end a line, and none that is kept for Serin. */
import * as z from 'zod';
import { withRules } from './rules.ts';

interface HeaderKind {
  readonly name: RegExp;
  readonly longestName: number;
  readonly longestValue: number;
  readonly value: string;
  readonly description: string;
  /** Names, in lower case, that are not for a user to set. */
  readonly kept: readonly string[];
  /** What to do about one of them. */
  readonly message: string;
}

export function header({ name, longestName, longestValue, value, description, kept, message }: HeaderKind) {
  return withRules(
    z
      .strictObject({
        name: z.string().min(1).max(longestName).regex(name).describe('Name of the header.'),
        value: z
          .string()
          .max(longestValue)
          .regex(/^[ -~]*$/)
          .describe(value),
      })
      .describe(description),
    [
      {
        cel: `!(self.name.lowerAscii() in [${kept.map((one) => `'${one}'`).join(', ')}])`,
        message,
        holds: (written) => !kept.includes(written.name.toLowerCase()),
      },
    ],
  );
}
