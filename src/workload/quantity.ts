/** Reads amounts of resources as Kubernetes writes them: "250m", "1.5", "128Mi", "1e3". It never rounds. */

const suffixes: ReadonlyMap<string, number> = new Map([
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
  ['E', 1e18],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
  ['Pi', 2 ** 50],
  ['Ei', 2 ** 60],
]);

/** Undefined when it is no quantity. The API server may also return a plain number. */
export function quantity(written: unknown): number | undefined {
  if (typeof written === 'number') return Number.isFinite(written) ? written : undefined;
  if (typeof written !== 'string') return undefined;
  const [, digits = '', exponent = '', suffix = ''] =
    /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([A-Za-z]{0,2}))$/.exec(written) ?? [];
  const factor = suffixes.get(suffix);
  const value = Number(`${digits}${exponent}`);
  return digits === '' || factor === undefined || !Number.isFinite(value) ? undefined : value * factor;
}
