// Owns how evidence about several things becomes one: for harm on the weighted average, for health on the least. Nothing
// here looks at what the evidence is about.
import { logSum } from './mixture.ts';

/**
 * ln of Σ weight · exp(log): an average of e-values is an e-value, however they hang together, if the weights were fixed
 * before and sum to 1 (Vovk and Wang, E-values: calibration, combination and applications, 2021). Weights need not be
 * normalised.
 */
export function logAverage(logs: readonly number[], weights: readonly number[]): number {
  if (logs.length === 0) return 0;
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return logSum(logs.map((log, index) => log + Math.log((weights[index] ?? 0) / whole)));
}

/** The least of them; nothing is known where there is nothing. */
export function logLeast(logs: readonly number[]): number {
  return logs.length === 0 ? 0 : Math.min(...logs);
}

/**
 * For each hypothesis the evidence against it that stays valid although the accused was picked after the fact: the
 * smallest average with any of the others, e*_k = min over j of (E_k + the j smallest others) / (j + 1). The chance that
 * any healthy one ever reaches 1/α is at most α (closed testing; Vovk and Wang 2021, section 4).
 */
export function logClosed(logs: readonly number[]): readonly number[] {
  return logs.map((own, index) => {
    const others = logs.filter((_, other) => other !== index).toSorted((one, other) => one - other);
    return others.reduce(
      (least, _, last) => Math.min(least, logSum([own, ...others.slice(0, last + 1)]) - Math.log(last + 2)),
      own,
    );
  });
}
