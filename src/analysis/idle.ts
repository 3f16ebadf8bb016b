// Owns what is known of how much a pod uses without any request: from how stable's use went with its load while weights and
// traffic changed. It says a range, and the widest where nothing has changed yet.

/** Of stable's mean load and use, by block. */
export interface LineSums {
  readonly blocks: number;
  readonly load: number;
  readonly use: number;
  readonly loadSquares: number;
  readonly useSquares: number;
  readonly products: number;
}

export const openLine: LineSums = { blocks: 0, load: 0, use: 0, loadSquares: 0, useSquares: 0, products: 0 };

/** A line through fewer blocks is no line. */
const fewestBlocks = 6;
/** Standard errors: twice the usual two, because neighbouring blocks err alike. */
const errors = 4;

export function lineAfter(line: LineSums, load: number, use: number): LineSums {
  return {
    blocks: line.blocks + 1,
    load: line.load + load,
    use: line.use + use,
    loadSquares: line.loadSquares + load * load,
    useSquares: line.useSquares + use * use,
    products: line.products + load * use,
  };
}

/**
 * Between nothing and `least`, which some pod was seen to use with its requests; narrower where ordinary least squares of use on
 * load says more: intercept ± 4 standard errors.
 */
export function idleRange(line: LineSums, least: number): { readonly low: number; readonly high: number } {
  const { blocks } = line;
  const widest = { low: 0, high: least };
  if (blocks < fewestBlocks) return widest;
  const load = line.load / blocks;
  const use = line.use / blocks;
  const loads = line.loadSquares - blocks * load * load;
  if (!(loads > 1e-9 * line.loadSquares)) return widest;
  const products = line.products - blocks * load * use;
  const slope = products / loads;
  const rest = Math.max(0, line.useSquares - blocks * use * use - slope * products) / (blocks - 2);
  const margin = errors * Math.sqrt(rest * (1 / blocks + (load * load) / loads));
  const intercept = use - slope * load;
  const high = Math.min(least, Math.max(0, intercept + margin));
  return { low: Math.min(high, Math.max(0, intercept - margin)), high };
}
