/** Chooses the backend and the pod of each request by the weights, smoothly: with 1 in 100 every hundredth. It knows no sockets. */
import type { Routed, RoutedBackend } from './routing.ts';

interface Turn {
  readonly weights: string;
  readonly credits: number[];
}

/** Keeps whose turn it is, also when pods come and go; new weights begin anew. */
export class Balancer {
  readonly #turns = new Map<string, Turn>();
  readonly #cursors = new Map<string, number>();

  /** Undefined when no backend has a weight. */
  backend({ key, backends }: Routed): RoutedBackend | undefined {
    const total = backends.reduce((sum, { weight }) => sum + weight, 0);
    if (total <= 0) return undefined;
    const { credits } = this.#turnOf(key, backends);
    let best = 0;
    for (const [at, { weight }] of backends.entries()) {
      credits[at] = (credits[at] ?? 0) + weight;
      if ((credits[at] ?? 0) > (credits[best] ?? 0)) best = at;
    }
    credits[best] = (credits[best] ?? 0) - total;
    return backends[best];
  }

  /** One pod after the other; undefined when none is ready. */
  endpoint({ service, endpoints }: RoutedBackend): string | undefined {
    const at = (this.#cursors.get(service) ?? 0) % Math.max(1, endpoints.length);
    this.#cursors.set(service, at + 1);
    return endpoints[at];
  }

  #turnOf(key: string, backends: readonly RoutedBackend[]): Turn {
    const weights = backends.map(({ service, weight }) => `${service}=${weight}`).join();
    const known = this.#turns.get(key);
    if (known?.weights === weights) return known;
    const turn = { weights, credits: [] };
    this.#turns.set(key, turn);
    return turn;
  }
}
