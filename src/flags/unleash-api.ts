/** The calls to one Unleash that a flag needs: what it is in the environment, what happened to it, and to change it. */
import { type Call, type Exchange, exchange, failed } from './http-exchange.ts';
import { FlagError } from './flag-error.ts';
import type { FlagCredential, UnleashBackend } from './source.ts';

/** A flag in one environment. */
export interface Environment {
  readonly enabled: boolean;
  readonly strategies: readonly Strategy[];
}

/** As Unleash gives it; all of it goes back with a change. */
export interface Strategy {
  readonly id: string;
  readonly name: string;
  readonly disabled?: boolean;
  readonly parameters: Readonly<Record<string, string>>;
  readonly constraints: readonly unknown[];
  readonly segments?: readonly number[];
  readonly variants?: readonly StrategyVariant[];
  readonly title?: string | null;
}

export interface StrategyVariant {
  readonly name: string;
  /** Thousandths. */
  readonly weight: number;
  readonly weightType: 'fix' | 'variable';
  readonly stickiness: string;
  readonly payload?: object;
}

/** Something that changed the flag; Unleash stores none for a call that changes nothing. */
export interface StoredEvent {
  readonly id: number;
  readonly type: string;
  readonly environment?: string | null;
  readonly createdBy?: string;
}

export class UnleashApi {
  readonly #backend: UnleashBackend;
  readonly #exchange: Exchange;
  readonly #source: string;

  constructor(source: string, backend: UnleashBackend, options: Exchange) {
    this.#source = source;
    this.#backend = backend;
    this.#exchange = options;
  }

  async environment(flag: string, signal: AbortSignal): Promise<Environment> {
    const doing = `Reading ${this.named(flag)}`;
    const { json } = await this.#admin({ method: 'GET', path: this.#pathOf(flag), doing }, signal);
    const { enabled, strategies } = Object(json) as Partial<Environment>;
    if (typeof enabled === 'boolean' && Array.isArray(strategies)) return { enabled, strategies };
    throw failed({ doing }, 'unreachable', this.#isNoUnleash);
  }

  /** Of the flag in this environment, the latest 50, newest first. */
  async events(flag: string, signal: AbortSignal): Promise<readonly StoredEvent[]> {
    const doing = `Reading what happened to ${this.named(flag)}`;
    const path = `/events/${segment(flag)}`;
    const { json } = await this.#admin({ method: 'GET', path, doing }, signal);
    const { events } = Object(json) as { readonly events?: readonly StoredEvent[] };
    if (!Array.isArray(events)) throw failed({ doing }, 'unreachable', this.#isNoUnleash);
    return events
      .filter(({ environment }) => environment === this.#backend.environment)
      .toSorted((a, b) => b.id - a.id);
  }

  async turn(flag: string, state: 'on' | 'off', signal: AbortSignal): Promise<void> {
    const doing = `Turning ${this.named(flag)} ${state}`;
    await this.#admin({ method: 'POST', path: `${this.#pathOf(flag)}/${state}`, doing }, signal);
  }

  async putStrategy(flag: string, strategy: Strategy, signal: AbortSignal): Promise<void> {
    const { id, name, parameters, constraints, segments, variants, title, disabled } = strategy;
    const body = { name, parameters, constraints, segments: segments ?? [], variants: variants ?? [], title, disabled };
    const path = `${this.#pathOf(flag)}/strategies/${encodeURIComponent(id)}`;
    const doing = `Changing the strategy of ${this.named(flag)}`;
    await this.#admin({ method: 'PUT', path, doing, body: JSON.stringify(body) }, signal);
  }

  /** All flags as applications get them, not read further here. */
  async clientFeatures(flag: string, signal: AbortSignal): Promise<ClientFeatures> {
    const doing = `Reading what applications get of ${this.named(flag)}`;
    const auth = { header: 'authorization', value: tokenOf(this.#backend.clientAuth, this.#source) };
    const url = `${this.#backend.address}/api/client/features`;
    const { json } = await exchange({ method: 'GET', url, auth, doing, accepts: [200] }, this.#exchange, signal);
    const { features } = Object(json) as Partial<ClientFeatures>;
    if (Array.isArray(features)) return json as ClientFeatures;
    throw failed({ doing }, 'unreachable', this.#isNoUnleash);
  }

  named(flag: string): string {
    return `flag ${flag} of FlagSource ${this.#source} in environment ${this.#backend.environment} of Unleash`;
  }

  #admin({ path, ...call }: Pick<Call, 'method' | 'doing' | 'body'> & { readonly path: string }, signal: AbortSignal) {
    const auth = { header: 'authorization', value: tokenOf(this.#backend.auth, this.#source) };
    const headers: Record<string, string> = call.body === undefined ? {} : { 'content-type': 'application/json' };
    const url = `${this.#backend.address}/api/admin${path}`;
    return exchange({ ...call, url, auth, headers, accepts: [200, 201, 202, 204] }, this.#exchange, signal);
  }

  #pathOf(flag: string): string {
    const { project, environment } = this.#backend;
    const [p, f, e] = [project, flag, environment].map((name) => segment(name));
    return `/projects/${p}/features/${f}/environments/${e}`;
  }

  get #isNoUnleash(): string {
    return 'the answer is not what Unleash answers; the platform team checks the address of the FlagSource';
  }
}

/** As the SDKs take them. */
export interface ClientFeatures {
  readonly version: number;
  readonly features: readonly { readonly name: string; readonly strategies?: readonly unknown[] }[];
}

function tokenOf(credential: FlagCredential, source: string) {
  if (credential.kind === 'token') return credential.token;
  throw new FlagError(
    'invalid',
    `FlagSource ${source} cannot be used: Unleash takes a token, and the Secret has a user name and a password; the platform team writes the key token into it.`,
  );
}

/** Never one that leads to another path. */
function segment(name: string): string {
  if (/^\.*$/.test(name)) throw new FlagError('invalid', `"${name}" is no name of a flag; correct the Rollout.`);
  return encodeURIComponent(name);
}
