/** Owns how what was there before a change is written down: JSON that fits into the status of a Rollout. */
import { FlagError } from './flag-error.ts';
import { isJsonMap, type JsonMap } from './flagd-flag.ts';
import { longestPrevious } from './target.ts';

/** @throws FlagError when it is too long: what cannot be put back is not changed. */
export function packPrevious(previous: object, what: string): string {
  const text = JSON.stringify(previous);
  if (Buffer.byteLength(text) <= longestPrevious) return text;
  throw new FlagError(
    'invalid',
    `${what}: what is there now is longer than ${longestPrevious} bytes, and Serin changes nothing that it cannot put back; the owner of the flag makes its rules or variants shorter.`,
  );
}

/** @throws FlagError when it is not what `packPrevious` wrote. */
export function unpackPrevious(text: string, what: string): JsonMap {
  const read = parsed(text);
  if (isJsonMap(read)) return read;
  throw unreadable(what);
}

/** What `packPrevious` wrote is not what can be put back. */
export function unreadable(what: string): FlagError {
  return new FlagError(
    'invalid',
    `${what}: what was there before cannot be read any more; the owner of the flag sets it.`,
  );
}

/** The JSON in a text, or undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
