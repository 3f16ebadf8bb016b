// Decides how rates, odds and times are written for people, so that every sentence of the judge reads alike.

/** A fraction of requests: "9.8 %", "0.1 %", "0.004 %". */
export function percentWords(fraction: number): string {
  const percent = fraction * 100;
  const decimals = percent >= 10 ? 0 : percent >= 1 ? 1 : percent >= 0.1 ? 2 : 3;
  return `${Number(percent.toFixed(decimals))} %`;
}

/** Additional error rate in percentage points: "0.20pp". */
export function pointsWords(fraction: number): string {
  const points = fraction * 100;
  return `${points >= 0.01 ? points.toFixed(2) : Number(points.toPrecision(1))}pp`;
}

/** Odds from their logarithm: "412 : 1". */
export function oddsWords(logOdds: number): string {
  if (logOdds < 0) return 'below 1 : 1';
  if (logOdds > Math.log(1e6)) return 'over 1000000 : 1';
  const odds = Math.exp(logOdds);
  return `${odds < 10 ? Number(odds.toFixed(1)) : Math.round(odds)} : 1`;
}

/** "90s", "12m", "5h", "more than a day". */
export function spanWords(seconds: number): string {
  if (seconds <= 100) return `${Math.max(10, Math.ceil(seconds / 10) * 10)}s`;
  if (seconds <= 7_200) return `${Math.ceil(seconds / 60)}m`;
  return seconds <= 86_400 ? `${Math.ceil(seconds / 3_600)}h` : 'more than a day';
}

/** A time that a request takes: "300 ms", "1.5 s". */
export function timeWords(seconds: number): string {
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`;
}

/** Counts may be fractions where a counter is; people see whole requests. */
export function countWords(count: number): string {
  return String(Math.round(count));
}
