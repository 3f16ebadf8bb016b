/** Writes a moment that was given as data; reads no clock. */

/** No date lies further from 1970, in milliseconds. */
const furthestMs = 8.64e15;

/** RFC 3339 in UTC, as the API server writes times. A status that somebody edited may name a moment that is none. */
export function isoTime(epochMs: number): string {
  const boundedMs = Math.min(Math.max(epochMs, -furthestMs), furthestMs);
  // oxlint-disable-next-line no-restricted-globals -- a conversion of a given moment, not a clock
  return new Date(boundedMs).toISOString();
}

/** Milliseconds since 1970 of what `isoTime` wrote; NaN for what is no time. */
export function epochMsOf(time: string): number {
  // oxlint-disable-next-line no-restricted-globals -- a conversion of a given moment, not a clock
  return Date.parse(time);
}
