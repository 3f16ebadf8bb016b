/** Reads what the flagged application is told by its environment; text that is no number ends it, so that a slip is seen. */

export interface Settings {
  readonly version: string;
  /** Part of all answers that are 500, from 0 to 1. */
  readonly errorRate: number;
  /** Part of the answers that are 500 where the flag is on: 0 for a version that has no code behind it. */
  readonly flaggedErrorRate: number;
  /** Name of the flag. */
  readonly flag: string;
  /** Address of Unleash, with `/api`, and the token of its client API. */
  readonly unleash: { readonly url: string; readonly token: string };
  readonly refreshMs: number;
  readonly drainMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error naming the variable that is missing or no number */
export function readSettings(environment: Environment): Settings {
  return {
    version: environment['VERSION'] ?? 'unknown',
    errorRate: numberOf(environment, 'ERROR_RATE', 0),
    flaggedErrorRate: numberOf(environment, 'FLAGGED_ERROR_RATE', 0),
    flag: textOf(environment, 'FLAG'),
    unleash: { url: textOf(environment, 'UNLEASH_URL'), token: textOf(environment, 'UNLEASH_TOKEN') },
    refreshMs: numberOf(environment, 'REFRESH_MS', 1000),
    drainMs: numberOf(environment, 'DRAIN_MS', 5000),
  };
}

function textOf(environment: Environment, name: string): string {
  const text = environment[name];
  if (text === undefined || text === '') throw new Error(`${name} is not set`);
  return text;
}

function numberOf(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name] ?? '';
  if (text === '') return otherwise;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`${name}=${JSON.stringify(text)} is not a number`);
  return value;
}
