/** The few ways in which the shell speaks to its log: one line per decision, fields first, never a secret. pino fits it. */
export interface Log {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}
