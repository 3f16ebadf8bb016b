/** Owns the words in which a test or a simulation says what goes wrong between client and API server; it does nothing itself. */
import type { Asked } from './server/asked.ts';

/** What happens to one request. */
export type Fault =
  /** The server answers so, and nothing was done. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly message: string }
  /** The connection breaks, before the request took effect or after. */
  | { readonly kind: 'cut'; readonly effect: 'none' | 'done' }
  /** On top of the latency, before it takes effect. */
  | { readonly kind: 'late'; readonly delayMs: number }
  /** No answer ever; the client's deadline decides. */
  | { readonly kind: 'silent'; readonly effect: 'none' | 'done' };

export interface Faults {
  /** Asked once for each request, watches too. */
  on?(asked: Asked): Fault | undefined;
  /** How long an event of a watch takes on top of the latency; events never overtake each other. */
  watchLagMs?(asked: Asked): number;
  /** Told each time a watch delivers: true ends the stream there, unannounced. */
  endsWatch?(asked: Asked): boolean;
}
