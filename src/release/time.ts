/** Writes a moment that was given as data; reads no clock. */

/** RFC 3339 in UTC, as the API server writes times. */
export function isoTime(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of a given moment, not a clock
  return new Date(epochMs).toISOString();
}

/** Milliseconds since 1970 of what `isoTime` wrote; NaN for what is no time. */
export function epochMsOf(time: string): number {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of a given moment, not a clock
  return Date.parse(time);
}
