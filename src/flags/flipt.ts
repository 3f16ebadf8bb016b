/**
 * Changes a flag of a Flipt v2. Each write holds for the revision that was read and for no other: when anything changed in
 * between, the flag is read and decided upon again, and what somebody else made of it stays.
 */
import type { Provider, ResolutionDetails } from '@openfeature/server-sdk';
import { FlagError } from './flag-error.ts';
import { type AtRevision, type Evaluated, FliptApi } from './flipt-api.ts';
import {
  changeIn,
  type FliptFlag,
  type FliptShape,
  isShape,
  reshaped,
  shapeOf,
  valueOf,
  wantedOf,
} from './flipt-flag.ts';
import { exchangeWith } from './http-exchange.ts';
import type { TargetParts } from './open-target.ts';
import { packPrevious, unpackPrevious, unreadable } from './previous.ts';
import { readBack } from './read-back.ts';
import type { FliptBackend, FlagSourceOf } from './source.ts';
import type { FlagChange, FlagPlan, FlagTarget, Served } from './target.ts';

export function fliptTarget(
  source: FlagSourceOf,
  backend: FliptBackend,
  parts: Pick<TargetParts, 'clock' | 'dispatcher'>,
): FlagTarget {
  return new FliptTarget(source.name, new FliptApi(source.name, backend, exchangeWith(backend, parts)));
}

/** Any other change in the environment makes another revision: in a busy one the first may be lost. */
const mostTries = 5;

class FliptTarget implements FlagTarget {
  readonly #source: string;
  readonly #api: FliptApi;

  constructor(source: string, api: FliptApi) {
    this.#source = source;
    this.#api = api;
  }

  async plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan> {
    const named = this.#api.named(change.flag);
    const { flag } = await this.#api.read(change.flag, signal);
    const wanted = wantedOf(change, flag, named);
    const before: Before = { shape: shapeOf(flag), ...idOf(changeIn(flag)) };
    return { previous: packPrevious(before, named), isServed: isShape(flag, wanted) };
  }

  async apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void> {
    const named = this.#api.named(change.flag);
    const before = readBefore(previous, named);
    await this.#written(change.flag, signal, ({ flag, revision }) => {
      const wanted = wantedOf(change, flag, named);
      if (isShape(flag, wanted)) return undefined;
      if (changeIn(flag) !== before.id || !isShape(flag, before.shape))
        throw new FlagError(
          'refused',
          `${named} is not changed: somebody changed it since it was read; whoever did decides what it serves.`,
        );
      return { flag: reshaped(flag, wanted, change.id), revision };
    });
  }

  async verify(change: FlagChange, signal: AbortSignal): Promise<Served> {
    const { flag } = await this.#api.read(change.flag, signal);
    const isBoolean = flag.type === 'BOOLEAN_FLAG_TYPE';
    const { flag: name, variant } = change;
    const expected = valueOf(change, isBoolean);
    const seen = await this.#api.evaluate(name, signal);
    const asked = { source: this.#source, flag: name, variant, expected };
    if (isShared(change)) return sharedOf(flag, change, this.#source, this.#api.named(name));
    return readBack(new FliptView(seen, change, isBoolean), asked, signal);
  }

  async revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'> {
    const named = this.#api.named(change.flag);
    const before = readBefore(previous, named);
    let isKept = false;
    await this.#written(change.flag, signal, ({ flag, revision }) => {
      if (isShape(flag, before.shape)) return undefined;
      isKept = changeIn(flag) !== change.id || !isShape(flag, wantedOf(change, flag, named));
      return isKept ? undefined : { flag: reshaped(flag, before.shape, before.id), revision };
    });
    return isKept ? 'keptByOthers' : 'reverted';
  }

  /** What `decide` makes of the flag as it is; nothing when it makes nothing of it. */
  async #written(
    name: string,
    signal: AbortSignal,
    decide: (now: AtRevision) => AtRevision | undefined,
  ): Promise<void> {
    for (let tries = 0; tries < mostTries; tries++) {
      const next = decide(await this.#api.read(name, signal));
      if (next === undefined || (await this.#api.write(next, signal))) return;
    }
    throw new FlagError(
      'unreachable',
      `Changing ${this.#api.named(name)} failed ${mostTries} times, because something else in the environment changed each time; Serin tries again.`,
    );
  }
}

interface Before {
  readonly shape: FliptShape;
  /** Of an earlier change. */
  readonly id?: string;
}

function readBefore(previous: string, named: string): Before {
  const { shape, id } = unpackPrevious(previous, named);
  if (typeof shape === 'object' && shape !== null)
    return { shape: shape as unknown as FliptShape, ...idOf(typeof id === 'string' ? id : undefined) };
  throw unreadable(named);
}

function idOf(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id };
}

function isShared({ percent }: FlagChange): boolean {
  return percent !== undefined && percent !== 100;
}

/** Who is in a share only Flipt knows: that it holds the share is what there is to see. */
function sharedOf(flag: FliptFlag, change: FlagChange, source: string, named: string): Served {
  const { variant, percent } = change;
  const served = isShape(flag, wantedOf(change, flag, named));
  const what = `Variant ${variant} of flag ${change.flag} (FlagSource ${source})`;
  return served
    ? { served, sentence: `${what} is given to ${percent} %, as Flipt says.` }
    : {
        served,
        sentence: `${what} is not given to ${percent} %: its rollouts are other ones; whoever changed them decides.`,
      };
}

/** One evaluation that Flipt made. */
class FliptView implements Provider {
  readonly metadata = { name: 'flipt' };
  readonly #seen: Evaluated;
  readonly #change: FlagChange;
  readonly #isBoolean: boolean;

  constructor(seen: Evaluated, change: FlagChange, isBoolean: boolean) {
    this.#seen = seen;
    this.#change = change;
    this.#isBoolean = isBoolean;
  }

  async resolveBooleanEvaluation(): Promise<ResolutionDetails<boolean>> {
    const { value, reason } = this.#seen;
    if (!this.#isBoolean || typeof value !== 'boolean') throw new Error('Flipt gives no true or false');
    const isThat = value === valueOf(this.#change, true);
    return { value, variant: isThat ? this.#change.variant : value ? 'on' : 'off', ...reasonOf(reason) };
  }

  async resolveStringEvaluation(): Promise<ResolutionDetails<string>> {
    const { variant, value, reason } = this.#seen;
    const served = variant ?? (typeof value === 'string' ? value : '');
    return { value: served, variant: served, ...reasonOf(reason) };
  }

  async resolveNumberEvaluation(): Promise<never> {
    throw new Error('flags of Flipt are true, false or a variant');
  }

  async resolveObjectEvaluation(): Promise<never> {
    throw new Error('flags of Flipt are true, false or a variant');
  }
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}
