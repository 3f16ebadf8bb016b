/** Owns the one way a span of time is written in Serin's objects; it never reads a clock. */

/**
 * A duration as users write it: hours, minutes and seconds in that order, each at most once, at least one of them
 * (`90s`, `10m`, `1h30m`). Without look-around, because the API server's regular expressions (RE2) have none.
 */
export const DURATION_PATTERN = '^([0-9]{1,3}h([0-9]{1,4}m)?([0-9]{1,5}s)?|[0-9]{1,4}m([0-9]{1,5}s)?|[0-9]{1,5}s)$';

export const DURATION_MAX_LENGTH = 16;

const whole = new RegExp(DURATION_PATTERN);

/**
 * Milliseconds of a duration such as `90s`, `10m` or `1h30m`.
 *
 * @throws RangeError when the text is not such a duration. The CRD's pattern refuses it earlier, so seeing this means
 * that an object was read that no API server with our CRDs has checked.
 */
export function parseDurationMs(text: string): number {
  if (!whole.test(text)) {
    throw new RangeError(
      `Cannot read "${text}" as a duration: write hours, minutes and seconds like 90s, 10m or 1h30m.`,
    );
  }
  const count = (unit: string) => Number(new RegExp(`([0-9]+)${unit}`).exec(text)?.[1] ?? 0);
  return ((count('h') * 60 + count('m')) * 60 + count('s')) * 1000;
}

/** A short span as answers are measured by: milliseconds or seconds (`300ms`, `2s`), above zero. */
export const SPAN_PATTERN = '^([1-9][0-9]{0,5}ms|[1-9][0-9]{0,2}s)$';

const short = new RegExp(SPAN_PATTERN);

/**
 * Milliseconds of a short span such as `300ms` or `2s`.
 *
 * @throws RangeError as `parseDurationMs` does.
 */
export function parseSpanMs(text: string): number {
  if (!short.test(text)) throw new RangeError(`Cannot read "${text}" as a short span: write it like 300ms or 2s.`);
  return text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000;
}
