/** One flag as a described HTTP server knows it: its requests, with everything filled in, and the names of its variants. */
import { type Exchange, exchange } from './http-exchange.ts';
import { filledBody, filledPointer, filledUrl, mentions, Unfillable, type Values } from './http-template.ts';
import { FlagError } from './flag-error.ts';
import type { HttpBackend, HttpReadBack, HttpVariant, HttpWrite } from './source.ts';
import type { FlagChange } from './target.ts';

export class HttpFlag {
  readonly change: FlagChange;
  /** For sentences. */
  readonly named: string;
  /** What the read-back gives when the variant is served. */
  readonly expected: string;
  readonly #backend: HttpBackend;

  constructor(source: string, backend: HttpBackend, change: FlagChange) {
    this.change = change;
    this.named = `flag ${change.flag} of FlagSource ${source}`;
    this.#backend = backend;
    const known = this.#variant(change.variant);
    this.expected = readOf(known);
  }

  /** Throws where the change cannot be asked for. */
  checkWrite(): void {
    const { write } = this.#backend;
    const { percent } = this.change;
    const saysPercent = mentions(write.url, 'percent') || mentions(write.body ?? '', 'percent');
    if (percent !== undefined && percent !== 100 && !saysPercent)
      throw this.#invalid(`served to ${percent} %`, 'the write of the FlagSource has no $(percent)');
    this.#filled(write, this.#values(this.#variant(this.change.variant)));
  }

  async read(options: Exchange, signal: AbortSignal): Promise<unknown> {
    const { readBack } = this.#backend;
    const filled = this.#filled(readBack, this.#values(this.#variant(this.change.variant)));
    const doing = `Reading ${this.named}`;
    const { json } = await exchange(
      { ...filled, ...this.#auth, method: readBack.method, accepts: [200], doing },
      options,
      signal,
    );
    if (json !== undefined) return json;
    throw new FlagError(
      'unreachable',
      `${doing} failed: the answer is no JSON; whoever wrote the FlagSource checks the URL of its readBack.`,
    );
  }

  async write(options: Exchange, signal: AbortSignal): Promise<void> {
    const values = this.#values(this.#variant(this.change.variant));
    await this.#send(this.#backend.write, values, `Setting ${this.named} to ${this.change.variant}`, options, signal);
  }

  /** `value` is what was read before the change. */
  async restore(value: string, options: Exchange, signal: AbortSignal): Promise<void> {
    const before = this.#backend.variants.find((one) => readOf(one) === value) ?? { name: value };
    const doing = `Setting ${this.named} back to ${before.name.slice(0, 60)}`;
    await this.#send(this.#backend.restore ?? this.#backend.write, this.#values(before), doing, options, signal);
  }

  /** The variant that is served when this is read. */
  nameOf(read: string): string {
    if (read === this.expected) return this.change.variant;
    return this.#backend.variants.find((one) => readOf(one) === read)?.name ?? read;
  }

  pointer(template: string): string {
    return filledPointer(template, this.#values(this.#variant(this.change.variant)));
  }

  async #send(write: HttpWrite, values: Values, doing: string, options: Exchange, signal: AbortSignal): Promise<void> {
    const { method, success: accepts } = write;
    await exchange({ ...this.#filled(write, values), ...this.#auth, method, accepts, doing }, options, signal);
  }

  get #auth() {
    const { auth } = this.#backend;
    return auth === undefined ? {} : { auth };
  }

  #variant(name: string): HttpVariant {
    return this.#backend.variants.find((one) => one.name === name) ?? { name };
  }

  #values(variant: HttpVariant): Values {
    const { flag, percent = 100, id, namespace } = this.change;
    return { flag, variant: variant.name, value: writeOf(variant), percent: String(percent), changeId: id, namespace };
  }

  #filled(request: HttpWrite | HttpReadBack, values: Values) {
    const headers = Object.fromEntries(request.headers.map(({ name, value }) => [name.toLowerCase(), value]));
    const type = headers['content-type'] ?? 'application/json';
    try {
      const url = filledUrl(request.url, values);
      if (request.body === undefined) return { url, headers };
      return { url, headers: { ...headers, 'content-type': type }, body: filledBody(request.body, type, values) };
    } catch (error) {
      if (error instanceof Unfillable) throw this.#invalid(`set to ${this.change.variant}`, error.message);
      throw error;
    }
  }

  #invalid(what: string, why: string): FlagError {
    return new FlagError('invalid', `${this.named} cannot be ${what}: ${why}; correct the Rollout or the FlagSource.`);
  }
}

function writeOf({ name, write }: HttpVariant): string {
  return write ?? name;
}

function readOf({ name, write, read }: HttpVariant): string {
  return read ?? write ?? name;
}
