/** The calls to one Flipt v2: a flag with the revision that it was read at, a write that holds only for that, and an evaluation. */
import { type Answer, type Call, type Exchange, exchange, failed } from './http-exchange.ts';
import { FlagError } from './flag-error.ts';
import type { FliptFlag } from './flipt-flag.ts';
import type { FliptBackend } from './source.ts';
import { Secret } from '../signals/secret.ts';

export interface AtRevision {
  readonly flag: FliptFlag;
  /** Of everything in the environment: any change of it makes another. */
  readonly revision: string;
}

/** What OFREP says of one evaluation. */
export interface Evaluated {
  readonly value?: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export class FliptApi {
  readonly #backend: FliptBackend;
  readonly #exchange: Exchange;
  readonly #source: string;

  constructor(source: string, backend: FliptBackend, options: Exchange) {
    this.#source = source;
    this.#backend = backend;
    this.#exchange = options;
  }

  async read(flag: string, signal: AbortSignal): Promise<AtRevision> {
    const doing = `Reading ${this.named(flag)}`;
    const url = `${this.#resources}/flipt.core.Flag/${segment(flag)}`;
    const { json } = await this.#call({ method: 'GET', url, doing, accepts: [200] }, signal);
    const { resource, revision } = Object(json) as {
      readonly resource?: { readonly payload?: FliptFlag };
      readonly revision?: unknown;
    };
    if (resource?.payload?.key === flag && typeof revision === 'string') return { flag: resource.payload, revision };
    throw failed({ doing }, 'unreachable', this.#isNoFlipt);
  }

  /** False when something in the environment has changed since `revision`. */
  async write({ flag, revision }: AtRevision, signal: AbortSignal): Promise<boolean> {
    const { environment: environmentKey, namespace: namespaceKey } = this.#backend;
    const payload = { '@type': 'flipt.core.Flag', ...flag };
    const body = JSON.stringify({ environmentKey, namespaceKey, key: flag.key, payload, revision });
    const doing = `Changing ${this.named(flag.key)}`;
    const { status } = await this.#call(
      { method: 'PUT', url: this.#resources, body, doing, accepts: [200, 409] },
      signal,
    );
    return status !== 409;
  }

  /** For a user that no rule names. */
  async evaluate(flag: string, signal: AbortSignal): Promise<Evaluated> {
    const { address, environment, namespace } = this.#backend;
    const answer = await this.#call(
      {
        method: 'POST',
        url: `${address}/ofrep/v1/evaluate/flags/${segment(flag)}`,
        headers: { 'x-flipt-environment': environment, 'x-flipt-namespace': namespace },
        body: JSON.stringify({ context: { targetingKey: 'serin' } }),
        doing: `Evaluating ${this.named(flag)}`,
        accepts: [200],
      },
      signal,
    );
    return Object(answer.json);
  }

  named(flag: string): string {
    const { environment, namespace } = this.#backend;
    return `flag ${flag} of FlagSource ${this.#source} in environment ${environment}, namespace ${namespace} of Flipt`;
  }

  #call(call: Call, signal: AbortSignal): Promise<Answer> {
    const { auth } = this.#backend;
    if (auth?.kind === 'basic')
      throw new FlagError(
        'invalid',
        `FlagSource ${this.#source} cannot be used: Flipt takes a token, and the Secret has a user name and a password; the platform team writes the key token into it.`,
      );
    const value = auth && new Secret(`Bearer ${auth.token.reveal()}`);
    const headers: Record<string, string> = call.body === undefined ? {} : { 'content-type': 'application/json' };
    const credential = value === undefined ? {} : { auth: { header: 'authorization', value } };
    return exchange({ ...call, ...credential, headers: { ...headers, ...call.headers } }, this.#exchange, signal);
  }

  get #resources(): string {
    const { address, environment, namespace } = this.#backend;
    return `${address}/api/v2/environments/${segment(environment)}/namespaces/${segment(namespace)}/resources`;
  }

  get #isNoFlipt(): string {
    return 'the answer is not what Flipt v2 answers; the platform team checks the address of the FlagSource';
  }
}

/** Never one that leads to another path. */
function segment(name: string): string {
  if (/^\.*$/.test(name)) throw new FlagError('invalid', `"${name}" is no name of a flag; correct the Rollout.`);
  return encodeURIComponent(name);
}
