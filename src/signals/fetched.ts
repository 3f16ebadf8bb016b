// Owns the two outcomes of asking a metric source: it answered, or it is down and a sentence says why. A source that is
// down is never an exception and never a verdict (S7).

export type Fetched<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** What was tried, on which source, and whose move it is. */
  | { readonly kind: 'down'; readonly sentence: string };

export function down(sentence: string): { readonly kind: 'down'; readonly sentence: string } {
  return { kind: 'down', sentence };
}
