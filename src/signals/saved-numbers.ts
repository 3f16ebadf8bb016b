// Writes the numbers of the evidence down and reads them back, bit for bit: float64 in base64. What cannot be read back
// throws, and then nothing at all is restored.
import type { Counts } from '../analysis/errors.ts';
import type { Histogram } from '../analysis/histogram.ts';
import type { Wealth } from '../analysis/mixture.ts';
import type { Tuple } from '../analysis/tuples.ts';

/** The shares of a wealth are of single precision, so nothing is lost. */
export function savedWealth({ logEvidence, logUncapped, logStrongest, shares }: Wealth): string {
  const worth = new Uint8Array(Float64Array.of(logEvidence, logUncapped, logStrongest).buffer);
  const spread = new Uint8Array(Float32Array.from(shares).buffer);
  return Buffer.concat([worth, spread]).toString('base64');
}

export function wealthOf(packed: string, like: Wealth): Wealth {
  const bytes = Uint8Array.from(Buffer.from(packed, 'base64'));
  if (bytes.length !== 24 + 4 * like.shares.length) throw new Error('evidence is incomplete');
  const [logEvidence = Number.NaN, logUncapped = Number.NaN, logStrongest = Number.NaN] = new Float64Array(
    bytes.buffer,
    0,
    3,
  );
  const shares = [...new Float32Array(bytes.buffer, 24)];
  if (![logEvidence, logUncapped, logStrongest, ...shares].every(Number.isFinite))
    throw new Error('a saved number is not finite');
  if (!shares.every((share) => share >= 0) || !shares.some((share) => share > 0)) throw new Error('there is no wealth');
  return { logEvidence, logUncapped, logStrongest, shares };
}

/** The last bound is Infinity and goes without saying. */
export function savedHistogram({ upperBounds, counts }: Histogram): string {
  return `${pack(upperBounds.slice(0, -1))} ${counts.join(' ')}`;
}

export function histogramIn(text: string): Histogram {
  const [bounds = '', ...counts] = text.split(' ');
  const upperBounds = [...unpack(bounds), Infinity];
  const numbers = counts.map(Number);
  if (numbers.length !== upperBounds.length || !numbers.every(Number.isFinite))
    throw new Error('a saved histogram is incomplete');
  return { upperBounds, counts: numbers };
}

export function savedCounts(all: readonly Counts[]): string {
  return pack(all.flatMap(({ requests, errors }) => [requests, errors]));
}

export function countsOf(packed: string): readonly Counts[] {
  return pairs(unpack(packed)).map(([requests, errors]) => ({ requests, errors }));
}

export function savedTuples(tuples: readonly Tuple[]): string {
  return tuples.flatMap(savedTuple).join(' ');
}

function savedTuple({ lengthMs, canary, stable }: Tuple): readonly number[] {
  return [lengthMs, canary.requests, canary.errors, stable.requests, stable.errors];
}

export function tuplesOf(text: string): readonly Tuple[] {
  const numbers = text === '' ? [] : text.split(' ').map(Number);
  if (!numbers.every(Number.isFinite)) throw new Error('a saved count is not a number');
  return Array.from({ length: Math.floor(numbers.length / 5) }, (_, index) => {
    const [lengthMs = 0, canary = 0, canaryErrors = 0, stable = 0, stableErrors = 0] = numbers.slice(index * 5);
    return {
      lengthMs,
      canary: { requests: canary, errors: canaryErrors },
      stable: { requests: stable, errors: stableErrors },
    };
  });
}

export function pairs(numbers: readonly number[]): readonly (readonly [number, number])[] {
  return Array.from(
    { length: Math.floor(numbers.length / 2) },
    (_, index) => [numbers[index * 2] ?? 0, numbers[index * 2 + 1] ?? 0] as const,
  );
}

export function pack(numbers: readonly number[]): string {
  return Buffer.from(Float64Array.from(numbers).buffer).toString('base64');
}

export function unpack(packed: string): readonly number[] {
  const bytes = Uint8Array.from(Buffer.from(packed, 'base64'));
  const numbers = [...new Float64Array(bytes.buffer, 0, Math.floor(bytes.length / 8))];
  if (!numbers.every(Number.isFinite)) throw new Error('a saved number is not finite');
  return numbers;
}
