/** Reading what was caught, which may be anything. */

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for an error of the operating system with this code, as `ENOENT`. Under Jest such an error is no `Error` of the test's. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
