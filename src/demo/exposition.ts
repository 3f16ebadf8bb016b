/** Reads what a target says on /metrics (the text format of Prometheus), as far as counters need it; other lines are left out. */

export interface Exposed {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** One entry for each line with a sample; `__name__` is among its labels. */
export function parseExposition(text: string): readonly Exposed[] {
  return text.split('\n').flatMap((line) => {
    const [, name, inner = '', number] = line.startsWith('#') ? [] : (sample.exec(line) ?? []);
    if (name === undefined || number === undefined) return [];
    const labels = Object.fromEntries(
      [...inner.matchAll(label)].map(([, key = '', quoted = '']) => [key, unescaped(quoted)]),
    );
    return [{ labels: { ...labels, __name__: name }, value: valueOf(number) }];
  });
}

function valueOf(number: string): number {
  if (number === '+Inf') return Infinity;
  return number === '-Inf' ? -Infinity : Number(number);
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
