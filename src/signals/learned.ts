// Owns what an attempt has learned of the time before it, as it is kept with the evidence: plain JSON, decided once.
import type { Calibration } from '../analysis/calibration.ts';

export interface Learned {
  readonly calibrations: readonly Calibration[];
  /** Metrics of which nothing was learned, and why: words that follow "nothing is known of their past:". */
  readonly unknown: readonly { readonly metric: string; readonly why: string }[];
}

export const nothingLearned: Learned = { calibrations: [], unknown: [] };

const numbers = ['clumping', 'spanMs', 'pods', 'errors', 'releases', 'logHighest'] as const;

/** Undefined when it is not what was written: status is text that anybody with the right may have edited. */
export function learnedIn(value: unknown): Learned | undefined {
  const { calibrations, unknown } = (value ?? {}) as Partial<Learned>;
  if (!Array.isArray(calibrations) || !Array.isArray(unknown)) return undefined;
  const areSound = calibrations.every(
    (one: Calibration) =>
      typeof one.metric === 'string' && numbers.every((name) => Number.isFinite(one[name])) && one.clumping >= 1,
  );
  const areWords = unknown.every(
    ({ metric, why }: Learned['unknown'][number]) => typeof metric === 'string' && typeof why === 'string',
  );
  return areSound && areWords ? { calibrations, unknown } : undefined;
}
