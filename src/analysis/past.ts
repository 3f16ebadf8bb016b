// Owns what is kept of a service's past: what each pod counted, block by block. It knows nothing of how it was read.
import { type Counts, addCounts, noCounts } from './errors.ts';

/** Pods of one version, all of them over the same time. */
export interface Past {
  readonly blockMs: number;
  /** For each pod what it counted in each block, in order of time; undefined where it was not seen over the whole block. */
  readonly pods: readonly (readonly (Counts | undefined)[])[];
}

/** How many blocks there are. */
export function blocksIn({ pods }: Past): number {
  return pods.reduce((most, blocks) => Math.max(most, blocks.length), 0);
}

/** The same in blocks that are `times` as long; what does not fill one at the end is left out. */
export function coarser(past: Past, times: number): Past {
  if (times <= 1) return past;
  const blocks = Math.floor(blocksIn(past) / times);
  const pods = past.pods.map((own) =>
    Array.from({ length: blocks }, (_, block) => together(own, block * times, (block + 1) * times)),
  );
  return { blockMs: past.blockMs * times, pods };
}

/** Into how many blocks of the past a time is divided; at least one. */
export function blocksOf(lengthMs: number, { blockMs }: Past): number {
  return Math.max(1, Math.round(lengthMs / blockMs));
}

function together(own: readonly (Counts | undefined)[], from: number, to: number): Counts | undefined {
  let sum: Counts = noCounts;
  for (let block = from; block < to; block += 1) {
    const counts = own[block];
    if (!counts) return undefined;
    sum = addCounts(sum, counts);
  }
  return sum;
}
