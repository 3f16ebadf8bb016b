/** Owns how the program speaks to whoever runs it: two streams, colours where they are wanted; it never decides what is said. */

export interface Terminal {
  /** A person looks at standard output as it comes. */
  readonly isInteractive: boolean;
  /** Width to which lines are cut when they are drawn again and again. */
  readonly columns: number;
  readonly hasColour: boolean;
  /** One or several lines to standard output; the line end is added. */
  print(text: string): void;
  /** The same to standard error. */
  complain(text: string): void;
  /** Exactly this text to standard output. */
  draw(raw: string): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  readonly out: Stream;
  readonly err: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colours only where a person looks, and never against NO_COLOR or a terminal that cannot show them. */
export function terminalOn({ out, err, env }: TerminalOptions): Terminal {
  const isInteractive = out.isTTY === true && env['TERM'] !== 'dumb';
  return {
    isInteractive,
    columns: widthOf(out),
    hasColour: isInteractive && (env['NO_COLOR'] ?? '') === '',
    print: (text) => void out.write(`${text}\n`),
    complain: (text) => void err.write(`${text}\n`),
    draw: (raw) => void out.write(raw),
  };
}

/** Some terminals do not know their width, and say 0. */
function widthOf({ columns = 0 }: Stream): number {
  return columns > 0 ? Math.max(40, columns) : 80;
}

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

export function painted(terminal: Pick<Terminal, 'hasColour'>, colour: Colour, text: string): string {
  return terminal.hasColour ? `\u001B[${codes[colour]}m${text}\u001B[0m` : text;
}
