/** Shows the demo to people: drawn in place again and again on a terminal, one line a change in a pipe. It never decides what happens. */
import { Picture } from '../cli/picture.ts';
import { painted, type Terminal } from '../cli/terminal.ts';
import type { Clock } from '../kube/clock.ts';
import { frameOf } from './frame.ts';
import type { Sight, Teller } from './story.ts';

/** How often a terminal is drawn anew: often enough to look alive, seldom enough to be read. */
const redrawMs = 250;

export class View implements Teller {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #lines: Picture;
  readonly #startMs: number;
  #drawn = 0;
  #drawnAtMs = -Infinity;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#lines = new Picture(terminal, clock);
    this.#startMs = clock.monotonicMs();
  }

  chapter(words: string): void {
    this.end();
    const seconds = Math.floor((this.#clock.monotonicMs() - this.#startMs) / 1000);
    this.#terminal.print(`${String(seconds).padStart(3)} s  ${painted(this.#terminal, 'bold', words)}`);
  }

  show(sight: Sight): void {
    if (!this.#terminal.isInteractive) return this.#lines.show(sight.rollout);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#drawnAtMs < redrawMs) return;
    this.#drawnAtMs = nowMs;
    const lines = frameOf(sight, this.#terminal);
    this.#terminal.draw(`${this.#back()}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Takes the frame away; what comes next is printed in its place. */
  end(): void {
    if (this.#drawn > 0) this.#terminal.draw(this.#back());
    this.#drawn = 0;
    this.#drawnAtMs = -Infinity;
  }

  #back(): string {
    return this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F\u001B[J`;
  }
}
