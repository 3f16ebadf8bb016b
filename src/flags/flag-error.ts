/** Owns how a flag backend fails: one error that says what was tried, on which flag of which source, and whose move it is. */

export type FlagErrorCode =
  /** No answer, a broken one, or a server that says it is not well: may pass by itself. */
  | 'unreachable'
  /** The operator may not do it: somebody grants the right. */
  | 'denied'
  /** Asked too often; `retryAfterMs` says how long to wait, if the backend did. */
  | 'rateLimited'
  /** The backend, or somebody's change in between, stands against it. */
  | 'refused'
  /** The flag, its variant, or the object that holds it is not there. */
  | 'notFound'
  /** What is asked for cannot be asked of this backend. */
  | 'invalid';

/** The message is for people and never holds a secret. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly code: FlagErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: FlagErrorCode,
    message: string,
    more: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** True for a FlagError of one of these codes. */
export function isFlagError(error: unknown, ...codes: readonly FlagErrorCode[]): error is FlagError {
  return error instanceof FlagError && (codes.length === 0 || codes.includes(error.code));
}
