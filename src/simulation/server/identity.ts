/** Makes the names, identities and times that the server gives to objects; everything of chance comes from one source. */
import type { Clock, Random } from '../../kube/clock.ts';

/** The alphabet of generated names: no vowels, no digits that look like letters. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const RANDOM_LENGTH = 5;
const LONGEST_BASE = 58;

/** A version 4 UUID. */
export function newUid(random: Random): string {
  const digits = Array.from({ length: 32 }, (_, at) => {
    const digit = Math.floor(random() * 16);
    if (at === 12) return 4;
    return at === 16 ? (digit & 3) | 8 : digit;
  });
  const hex = digits.map((digit) => digit.toString(16)).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function generatedName(base: string, random: Random): string {
  const suffix = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[Math.floor(random() * ALPHABET.length)] ?? 'x');
  return `${base.slice(0, LONGEST_BASE)}${suffix.join('')}`;
}

/** RFC 3339 with whole seconds, as in metadata and conditions. */
export function secondsOf(clock: Clock, laterMs = 0): string {
  return `${new Date(clock.nowMs() + laterMs).toISOString().slice(0, 19)}Z`;
}

/** Letters of the alphabet for the digits of a number, as the Deployment controller names templates. */
export function safeEncoded(text: string): string {
  return Array.from(text, (char) => ALPHABET[char.charCodeAt(0) % ALPHABET.length] ?? 'x').join('');
}
