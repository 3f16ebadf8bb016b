/** Writes a moment that was given as data; reads no clock. */

/** RFC 3339 in UTC, as the API server writes times. */
export function isoTime(epochMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of a given moment, not a clock
  return new Date(epochMs).toISOString();
}
