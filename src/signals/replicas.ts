// Tells the answers of two replicas of one source apart: each scrapes the same counters at moments of its own. What was counted
// from one must not be counted on from the other, or the time between their scrapes would count twice.
import type { Target } from './picture.ts';

type CountedMs = ReadonlyMap<number, number>;

/** An answer that knows the scrapes before and after the last one that was counted, but not that one, is of another replica. */
export function isOfAnother(targets: readonly Target[], countedMs: CountedMs): boolean {
  const covering = targets.filter((target) => covers(target, countedMs));
  const foreign = covering.filter((target) => isShifted(target, countedMs));
  return foreign.length * 2 > covering.length;
}

/** Goes on with the other replica: counting begins anew with its first scrape, and what lies between is lost. */
export function goneOver(targets: readonly Target[], countedMs: CountedMs): CountedMs {
  const next = new Map(countedMs);
  for (const target of targets.filter((one) => covers(one, countedMs) && isShifted(one, countedMs))) {
    const lastMs = countedMs.get(target.key) ?? 0;
    const firstMs = target.scrapesMs.find((atMs) => atMs > lastMs);
    if (firstMs !== undefined) next.set(target.key, firstMs);
  }
  return next;
}

function covers({ key, scrapesMs }: Target, countedMs: CountedMs): boolean {
  const lastMs = countedMs.get(key);
  const [firstMs] = scrapesMs;
  const newestMs = scrapesMs.at(-1);
  return lastMs !== undefined && firstMs !== undefined && firstMs <= lastMs && (newestMs ?? 0) > lastMs;
}

function isShifted({ key, scrapesMs }: Target, countedMs: CountedMs): boolean {
  return !scrapesMs.includes(countedMs.get(key) ?? 0);
}
