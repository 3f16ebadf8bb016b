/**
 * Changes a flag by one HTTP request that the platform team has described, and reads by another what is served. Such a server
 * says nothing of who changed what: what is not what was there before is taken for somebody else's.
 */
import { type Exchange, exchangeWith } from './http-exchange.ts';
import { HttpFlag } from './http-flag.ts';
import { pointed } from './json-pointer.ts';
import { FlagError } from './flag-error.ts';
import type { TargetParts } from './open-target.ts';
import { packPrevious, unpackPrevious, unreadable } from './previous.ts';
import { changeIdKey, readBack } from './read-back.ts';
import type { FlagSourceOf, HttpBackend } from './source.ts';
import type { FlagChange, FlagPlan, FlagTarget, Served } from './target.ts';

export function httpTarget(
  source: FlagSourceOf,
  backend: HttpBackend,
  parts: Pick<TargetParts, 'clock' | 'dispatcher'>,
): FlagTarget {
  return new HttpTarget(source, backend, exchangeWith(backend, parts));
}

/** What the server says of a flag. */
interface Seen {
  readonly value: string;
  readonly changeId: string | undefined;
}

class HttpTarget implements FlagTarget {
  readonly #source: FlagSourceOf;
  readonly #backend: HttpBackend;
  readonly #exchange: Exchange;

  constructor(source: FlagSourceOf, backend: HttpBackend, options: Exchange) {
    this.#source = source;
    this.#backend = backend;
    this.#exchange = options;
  }

  async plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan> {
    const flag = this.#flag(change);
    // What cannot be asked is said before anything is written down.
    flag.checkWrite();
    const seen = await this.#seen(flag, signal);
    return { previous: packPrevious({ value: seen.value }, flag.named), isServed: this.#isDone(flag, seen) };
  }

  async apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void> {
    const flag = this.#flag(change);
    const before = formerIn(previous, flag);
    const seen = await this.#seen(flag, signal);
    if (this.#isDone(flag, seen)) return;
    const isOurs = seen.changeId === change.id;
    // A server that shows no change id may serve the variant already when only that differs.
    if (isOurs || (seen.value !== before && seen.value !== flag.expected))
      throw new FlagError(
        'refused',
        `${flag.named} is not changed: since it was read, somebody set it to ${short(seen.value)}; whoever did decides what it serves.`,
      );
    await flag.write(this.#exchange, signal);
  }

  async verify(change: FlagChange, signal: AbortSignal): Promise<Served> {
    const flag = this.#flag(change);
    const { value, changeId } = await this.#seen(flag, signal);
    const asked = { source: this.#source.name, flag: change.flag, variant: change.variant, expected: flag.expected };
    const carriesId = this.#backend.readBack.changeId !== undefined;
    return readBack(
      {
        metadata: { name: `http:${this.#source.name}` },
        resolveBooleanEvaluation: unsupported,
        resolveNumberEvaluation: unsupported,
        resolveObjectEvaluation: unsupported,
        resolveStringEvaluation: async () => ({
          value,
          variant: flag.nameOf(value),
          reason: 'STATIC',
          flagMetadata: changeId === undefined ? {} : { [changeIdKey]: changeId },
        }),
      },
      { ...asked, ...(carriesId ? { changeId: change.id } : {}) },
      signal,
    );
  }

  async revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'> {
    const flag = this.#flag(change);
    const before = formerIn(previous, flag);
    const seen = await this.#seen(flag, signal);
    if (seen.value === before) return 'reverted';
    if (!this.#isDone(flag, seen)) return 'keptByOthers';
    await flag.restore(before, this.#exchange, signal);
    return 'reverted';
  }

  #isDone(flag: HttpFlag, { value, changeId }: Seen): boolean {
    if (value !== flag.expected) return false;
    return this.#backend.readBack.changeId === undefined || changeId === flag.change.id;
  }

  #flag(change: FlagChange): HttpFlag {
    return new HttpFlag(this.#source.name, this.#backend, change);
  }

  async #seen(flag: HttpFlag, signal: AbortSignal): Promise<Seen> {
    const json = await flag.read(this.#exchange, signal);
    const { value, changeId } = this.#backend.readBack;
    const served = textOf(pointed(json, flag.pointer(value)));
    if (served === undefined)
      throw new FlagError(
        'notFound',
        `Reading ${flag.named} failed: the answer has no text, number, true or false at ${flag.pointer(value) || 'its top'}; correct the name of the flag, or readBack.value of the FlagSource.`,
      );
    const id = changeId === undefined ? undefined : textOf(pointed(json, flag.pointer(changeId)));
    return { value: served, changeId: id };
  }
}

function formerIn(previous: string, { named }: HttpFlag): string {
  const { value } = unpackPrevious(previous, named);
  if (typeof value === 'string') return value;
  throw unreadable(named);
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function short(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

async function unsupported(): Promise<never> {
  throw new Error('only what was read, as text');
}
