// Writes the numbers of the evidence down and reads them back, bit for bit: float64 in base64. What cannot be read back
// throws, and then nothing at all is restored.
import { openAccept } from '../analysis/accept.ts';
import type { Counts } from '../analysis/errors.ts';
import type { Wealth } from '../analysis/mixture.ts';
import type { Tuple } from '../analysis/tuples.ts';

const betsAndCash = openAccept().logShares.length;

export function savedWealth({ logEvidence, logUncapped, logShares }: Wealth): string {
  return pack([logEvidence, logUncapped, ...logShares]);
}

export function wealthOf(packed: string): Wealth {
  const [logEvidence, logUncapped, ...logShares] = unpack(packed);
  if (logEvidence === undefined || logUncapped === undefined || logShares.length !== betsAndCash)
    throw new Error('evidence is incomplete');
  return { logEvidence, logUncapped, logShares };
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
