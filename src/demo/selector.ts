/** Reads the one kind of PromQL that the demo's Prometheus answers: a selector with a range, `name{label="value"}[90000ms]`. */

export interface RangeSelector {
  readonly matches: (labels: Readonly<Record<string, string>>) => boolean;
  readonly rangeMs: number;
}

const shape = /^\s*([A-Za-z_:][\w:]*)?\s*(?:\{(.*)\})?\s*\[(\d+)(ms|s|m|h)\]\s*$/s;
const matcher = /\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(,|$)/y;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Undefined when it is anything else. */
export function parseSelector(query: string): RangeSelector | undefined {
  const [, name, inner = '', count, unit = ''] = shape.exec(query) ?? [];
  const tests = testsIn(inner);
  if (count === undefined || tests === undefined || (name === undefined && tests.length === 0)) return undefined;
  const all = name === undefined ? tests : [...tests, { label: '__name__', holds: (value: string) => value === name }];
  return {
    rangeMs: Number(count) * (unitMs[unit] ?? 0),
    matches: (labels) => all.every(({ label, holds }) => holds(labels[label] ?? '')),
  };
}

interface Test {
  readonly label: string;
  /** An absent label is an empty one. */
  readonly holds: (value: string) => boolean;
}

function testsIn(inner: string): readonly Test[] | undefined {
  const tests: Test[] = [];
  matcher.lastIndex = 0;
  while (matcher.lastIndex < inner.trimEnd().length) {
    const [, label, operator, quoted] = matcher.exec(inner) ?? [];
    const holds = quoted === undefined ? undefined : testOf(operator, unescaped(quoted));
    if (label === undefined || holds === undefined) return undefined;
    tests.push({ label, holds });
  }
  return tests;
}

function testOf(operator: string | undefined, wanted: string): Test['holds'] | undefined {
  if (operator === '=') return (value) => value === wanted;
  if (operator === '!=') return (value) => value !== wanted;
  const pattern = patternOf(wanted);
  if (pattern === undefined) return undefined;
  return operator === '=~' ? (value) => pattern.test(value) : (value) => !pattern.test(value);
}

/** Prometheus anchors every pattern at both ends. */
function patternOf(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`, 's');
  } catch {
    return undefined;
  }
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
