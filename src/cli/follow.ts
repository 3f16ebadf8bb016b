/** Gives the states of one Rollout as they come, for as long as its reader reads; it never decides what they mean. */
import { rolloutKind } from '../api/kinds.ts';
import type { Clock } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { Reflector } from '../kube/reflector.ts';
import { Store } from '../kube/store.ts';
import type { RolloutObject } from './objects.ts';
import type { Session, Surroundings } from './session.ts';

export type Sight =
  | { readonly kind: 'rollout'; readonly rollout: RolloutObject }
  | { readonly kind: 'deleted' }
  /** The connection failed; it is tried again. */
  | { readonly kind: 'trouble'; readonly error: unknown }
  /** Time passed and nothing was seen to change. */
  | { readonly kind: 'tick' };

/**
 * Starts with the state now. Between two reads only the newest state is kept. Throws the KubeError when there is no such
 * Rollout, or when the user may not (or no longer) read it.
 */
export async function* follow(
  session: Session,
  name: string,
  around: Pick<Surroundings, 'clock' | 'random'>,
  tickMs: number,
): AsyncGenerator<Sight, void, void> {
  const { client, namespace } = session;
  const ref = { namespace, name };
  const first = await client.get<RolloutObject>(rolloutKind, ref);
  yield { kind: 'rollout', rollout: first };
  const end = new AbortController();
  const box = new Mailbox(around.clock, tickMs);
  const store = new Store<RolloutObject>();
  // Else one that is deleted before the reflector's first list would never be seen to go.
  store.put(first);
  store.onChange((change) =>
    box.put(change.kind === 'deleted' ? { kind: 'deleted' } : { kind: 'rollout', rollout: change.object }),
  );
  const reflector = new Reflector<RolloutObject>({
    client,
    clock: around.clock,
    random: around.random,
    kind: rolloutKind,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    store,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked it against the schema
    project: (object) => object as RolloutObject,
    onError: (error) => box.put({ kind: 'trouble', error }),
  });
  const running = reflector.run(end.signal);
  try {
    for (;;) {
      const sight = await box.take();
      // A first list may be older than what was read before it: an end of the story has to be true.
      const live = sight.kind === 'deleted' ? await client.find<RolloutObject>(rolloutKind, ref) : undefined;
      yield live === undefined ? sight : { kind: 'rollout', rollout: live };
    }
  } finally {
    end.abort();
    await running;
  }
}

/** Holds what was not read yet: the newest state, and an error that no state followed. */
class Mailbox {
  readonly #clock: Clock;
  readonly #tickMs: number;
  #waiting: Sight | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  put(sight: Sight): void {
    this.#waiting = sight;
    this.#wake?.();
  }

  async take(): Promise<Sight> {
    if (this.#waiting === undefined) await this.#change();
    const sight = this.#waiting ?? { kind: 'tick' };
    this.#waiting = undefined;
    if (sight.kind === 'trouble' && isKubeError(sight.error, 'Forbidden', 'NotFound', 'Unauthorized'))
      throw sight.error;
    return sight;
  }

  async #change(): Promise<void> {
    const stop = new AbortController();
    this.#wake = () => stop.abort();
    await this.#clock.sleep(this.#tickMs, stop.signal);
    this.#wake = undefined;
  }
}
