// Owns the two outcomes of asking a metric source: it answered, or it is down and a sentence says why. A source that is
// down is never an exception and never a verdict (S7).

export type Fetched<T> = { readonly kind: 'ok'; readonly value: T } | Down;

export interface Down {
  readonly kind: 'down';
  /** What was tried, on which source, and whose move it is. */
  readonly sentence: string;
  /** The source asks not to be asked again before this time has passed. */
  readonly retryAfterMs?: number;
}

/** Why there is no answer, to stand inside another sentence. */
export function whyDown({ sentence }: Down): string {
  return sentence.replace(/\.$/, '');
}

export function down(sentence: string, retryAfterMs?: number): Down {
  return { kind: 'down', sentence, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
