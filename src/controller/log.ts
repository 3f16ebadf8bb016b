/** The few ways in which the shell speaks to its log: one line per decision, fields first, never a secret. pino fits it. */
import { isKubeError } from '../kube/errors.ts';

export interface Log {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

/** What an error says, as a field of a line. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of surprises only: what an API server refused says enough in its message. */
export function stackOf(error: unknown): { readonly stack?: string } {
  return error instanceof Error && !isKubeError(error) && error.stack !== undefined
    ? { stack: error.stack.slice(0, 4000) }
    : {};
}
