// Decides whether as many requests reach the canary as the route says. The verdicts do not depend on it, for they use the
// requests that each version really had; but a split that is wrong is a fault of its own (connections that stay, a mesh
// that has ejected the canary, samples that are missing), so no step rests on it. It never makes harm.
import { type ArmCounts, type Counts, addCounts, noCounts } from './errors.ts';
import { type Limits, type Wealth, afterWindow, openWealth, slack } from './mixture.ts';
import { countWords, percentWords } from './words.ts';

export interface SplitState {
  /** Which part of the requests should reach the canary, since when. Undefined before a window said so. */
  readonly planned: number | undefined;
  readonly plannedSinceMs: number;
  /** All requests counted under this plan, after the time that a change of the weight takes. */
  readonly canary: Counts;
  readonly stable: Counts;
  /** Evidence that too many requests reach the canary, and that too few do. */
  readonly more: Wealth;
  readonly fewer: Wealth;
}

/** A share of the plan by which it may be off. */
const tolerated = 0.2;
/** Requests that share a connection go the same way, so they are one decision of the router. */
const requestsPerConnection = 50;
const graceMs = 30_000;
/** How far beyond the tolerated share, in the logarithm of the odds. */
const suspicions = [0.2, 0.5, 1, 1.5, 2.5, 4];
const logCertain = Math.log(1000);
/** A split that was wrong and is right again is believed after as much evidence as this. */
const limits: Limits = {
  logWindowCap: logCertain / 3,
  logBrakeGoal: Infinity,
  logCeiling: logCertain + Math.log(10),
};

export const openSplit: SplitState = {
  planned: undefined,
  plannedSinceMs: 0,
  canary: noCounts,
  stable: noCounts,
  more: openWealth(suspicions.length),
  fewer: openWealth(suspicions.length),
};

export interface SplitWindow extends ArmCounts {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly plannedShare?: number;
}

/** After a window with traffic on both versions. One without a plan, or in which the weight may still be on its way, says nothing. */
export function splitAfter(state: SplitState, window: SplitWindow): SplitState {
  const { plannedShare: planned, startMs, lengthMs } = window;
  if (planned === undefined) return state;
  if (planned !== state.planned)
    return { ...state, planned, plannedSinceMs: startMs, canary: noCounts, stable: noCounts };
  if (startMs < state.plannedSinceMs + graceMs) return state;
  return {
    ...state,
    canary: addCounts(state.canary, window.canary),
    stable: addCounts(state.stable, window.stable),
    more: afterWindow(state.more, logSplitFactors(window, planned, 'more'), lengthMs, limits),
    fewer: afterWindow(state.fewer, logSplitFactors(window, planned, 'fewer'), lengthMs, limits),
  };
}

/**
 * The logarithm of the window's e-value for each suspected share q. Null: each connection is routed to the canary with a
 * chance p within a fifth of the plan. With w the edge of that, ln e = [Nc ln(q/w) + Ns ln((1 − q)/(1 − w))] / φ: the
 * likelihood ratio of q against w, whose expected value, (p q/w + (1 − p)(1 − q)/(1 − w)) per connection, is at most 1 for
 * every p on the other side of w than q. The root φ is for requests that share a connection.
 */
export function logSplitFactors({ canary, stable }: ArmCounts, planned: number, side: 'more' | 'fewer'): number[] {
  const edge = side === 'more' ? planned * (1 + tolerated) : planned * (1 - tolerated);
  if (edge <= 0 || edge >= 1) return suspicions.map(() => 0);
  return suspicions.map((beyond) => {
    const odds = (edge / (1 - edge)) * Math.exp(side === 'more' ? beyond : -beyond);
    const share = odds / (1 + odds);
    const log = canary.requests * Math.log(share / edge) + stable.requests * Math.log((1 - share) / (1 - edge));
    return log / requestsPerConnection;
  });
}

/** What is wrong with the split, in a sentence; undefined while nothing is known to be. */
export function splitFault(state: SplitState): string | undefined {
  const { planned, canary, stable, more, fewer } = state;
  // Either is an e-value under the same null, so their average is one, and it is at least half of the larger one.
  const logOdds = Math.max(lastingly(more), lastingly(fewer)) - Math.log(2);
  if (planned === undefined || logOdds < logCertain - slack) return undefined;
  const all = canary.requests + stable.requests;
  if (canary.requests <= 0)
    return `No request reaches the new version, ${percentWords(planned)} of them were planned: 0 of ${countWords(all)}.`;
  return `${percentWords(canary.requests / all)} of the requests reach the new version, ${percentWords(planned)} were planned: ${countWords(canary.requests)} of ${countWords(all)}.`;
}

/** Of at least three windows, and not so much that it could not be lived down. */
function lastingly({ logEvidence, logUncapped }: Wealth): number {
  return Math.min(logEvidence, logUncapped);
}
