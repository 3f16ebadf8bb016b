/** Remembers when the gateway had which share of the requests on which Service: what users met, not what was asked for. */
import type { Routed } from './routing.ts';

export interface Moment {
  /** Monotonic time from which on it was so. */
  readonly atMs: number;
  readonly canaryPercent: number;
}

export class WeightLog {
  readonly #route: string;
  readonly #canaryService: string;
  readonly moments: Moment[] = [];

  /** Both as "namespace/name". */
  constructor(route: string, canaryService: string) {
    this.#route = route;
    this.#canaryService = canaryService;
  }

  get canaryPercent(): number {
    return this.moments.at(-1)?.canaryPercent ?? 0;
  }

  note(routes: readonly Routed[], atMs: number): void {
    const route = routes.find(({ key }) => key === this.#route);
    const canaryPercent = route === undefined ? 0 : shareOf(route, this.#canaryService);
    if (canaryPercent !== this.canaryPercent) this.moments.push({ atMs, canaryPercent });
  }

  /** The first time after `sinceMs` that the share was lower than before. */
  firstLoweringAfter(sinceMs: number): Moment | undefined {
    return this.moments.find(
      ({ atMs, canaryPercent }, index) =>
        atMs >= sinceMs && canaryPercent < (this.moments[index - 1]?.canaryPercent ?? 0),
    );
  }

  firstZeroAfter(sinceMs: number): Moment | undefined {
    return this.moments.find(({ atMs, canaryPercent }) => atMs >= sinceMs && canaryPercent === 0);
  }
}

function shareOf({ backends }: Routed, service: string): number {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const own = backends.filter((backend) => backend.service === service).reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? 0 : (own / total) * 100;
}
