// Reads what a target says on /metrics: the text format of Prometheus and OpenMetrics, as far as samples need it. Lines that are
// no samples are left out; it takes time in proportion to the text, whatever the text is.

export interface Exposed {
  /** `__name__` is among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One entry for each line with a sample, in order; `wants`: which metrics are read at all. Default: all. */
export function parseExposition(text: string, wants: (metric: string) => boolean = () => true): readonly Exposed[] {
  const wanted = new Map<string, boolean>();
  const isWanted = (metric: string): boolean => {
    const known = wanted.get(metric) ?? wants(metric);
    wanted.set(metric, known);
    return known;
  };
  const read: Exposed[] = [];
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const sample = new Line(text, at, end).sample(isWanted);
    if (sample) read.push(sample);
    at = end + 1;
  }
  return read;
}

const metricName = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const labelName = /[A-Za-z_][A-Za-z0-9_]*/y;
const plainNumber = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;

class Line {
  readonly #text: string;
  readonly #end: number;
  #at: number;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#at = start;
    this.#end = end;
  }

  /** Undefined for a comment, a metric that is not wanted, and whatever is no sample. */
  sample(isWanted: (metric: string) => boolean): Exposed | undefined {
    this.#skipSpace();
    const bare = this.#match(metricName);
    if (bare !== undefined && !isWanted(bare)) return undefined;
    this.#skipSpace();
    const labels = this.#peek() === '{' ? this.#labels() : {};
    const name = bare ?? labels?.['__name__'];
    if (labels === undefined || name === undefined || (bare === undefined && !isWanted(name))) return undefined;
    const value = numberOf(this.#word());
    return value === undefined ? undefined : { labels: { ...labels, __name__: name }, value };
  }

  /** Of `{a="b","c.d"="e"}`; a quoted name that stands alone is the metric's. Undefined when it is not closed. */
  #labels(): Record<string, string> | undefined {
    const labels: Record<string, string> = {};
    this.#at += 1;
    for (;;) {
      this.#skipSpace();
      const next = this.#peek();
      if (next === '}') {
        this.#at += 1;
        return labels;
      }
      if (next === ',') {
        this.#at += 1;
        continue;
      }
      if (!this.#label(labels)) return undefined;
    }
  }

  #label(labels: Record<string, string>): boolean {
    const name = this.#peek() === '"' ? this.#quoted() : this.#match(labelName);
    if (name === undefined) return false;
    this.#skipSpace();
    if (this.#peek() !== '=') {
      labels['__name__'] = name;
      return true;
    }
    this.#at += 1;
    this.#skipSpace();
    const value = this.#peek() === '"' ? this.#quoted() : undefined;
    if (value === undefined) return false;
    // As own fields, whatever a label is called.
    Object.defineProperty(labels, name, { value, enumerable: true, configurable: true, writable: true });
    return true;
  }

  #quoted(): string | undefined {
    const start = this.#at + 1;
    for (let at = start; at < this.#end; at += 1) {
      const unit = this.#text.charCodeAt(at);
      if (unit === backslash) at += 1;
      else if (unit === quote) {
        this.#at = at + 1;
        const inner = this.#text.slice(start, at);
        return inner.includes('\\') ? unescaped(inner) : inner;
      }
    }
    return undefined;
  }

  #word(): string {
    this.#skipSpace();
    const start = this.#at;
    while (this.#at < this.#end && !isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined || this.#at >= this.#end) return undefined;
    this.#at += found.length;
    return found;
  }

  #peek(): string | undefined {
    return this.#at < this.#end ? this.#text[this.#at] : undefined;
  }

  #skipSpace(): void {
    while (this.#at < this.#end && isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

const backslash = 0x5c;
const quote = 0x22;

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0d;
}

/** Undefined when it is no number; `NaN` is one that the format has. */
function numberOf(word: string): number | undefined {
  if (plainNumber.test(word)) return Number(word);
  const inf = /^([-+]?)inf(inity)?$/i.exec(word);
  if (inf) return inf[1] === '-' ? -Infinity : Infinity;
  return /^nan$/i.test(word) ? Number.NaN : undefined;
}

function unescaped(inner: string): string {
  return inner.replaceAll(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
