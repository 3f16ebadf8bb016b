/** Counts what a picture of the present shows: requests and failures between its first scrape and its last. Pure. */
import { growth, isNewSince } from '../../signals/increments.ts';
import type { Picture } from '../../signals/picture.ts';
import type { SeenTraffic } from './proof.ts';

/** Undefined when there was only one scrape. */
export function trafficIn({ targets, intervalMs }: Picture): SeenTraffic | undefined {
  const scrapesMs = targets.flatMap((target) => target.scrapesMs);
  // Of a large fleet there are more of them than a function takes arguments.
  const sinceMs = scrapesMs.reduce((first, atMs) => Math.min(first, atMs), Infinity);
  const untilMs = scrapesMs.reduce((last, atMs) => Math.max(last, atMs), -Infinity);
  if (intervalMs === undefined || untilMs <= sinceMs) return undefined;
  let [requests, failed] = [0, 0];
  for (const { counters, scrapesMs: own } of targets)
    for (const { samples, isBad, counts } of counters) {
      const grown = growth(samples, sinceMs, untilMs, (firstMs) => isNewSince(own, firstMs, intervalMs));
      if (counts === 'requests') requests += grown;
      if (isBad) failed += grown;
    }
  return {
    requestsPerSecond: (requests * 1000) / (untilMs - sinceMs),
    failedShare: requests === 0 ? 0 : Math.min(1, failed / requests),
    requests,
    failed,
    seenMs: untilMs - sinceMs,
    windowMs: intervalMs,
    tellsPods: targets.every(({ pod }) => pod !== undefined),
  };
}
