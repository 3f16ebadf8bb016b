/**
 * Owns what the operator must know of the cluster before it may use a source: its credentials, its authority, and whether the
 * Rollout's namespace may use it. It reads single objects, at most once a minute each, and forgets none for an outage.
 */
import { Agent, type Dispatcher } from 'undici';
import type { MetricSourceSpec } from '../api/metric-source.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import { keyOf, namespaces, type ObjectRef, secrets } from '../kube/resources.ts';
import { matchesSelector } from '../workload/selector.ts';
import type { MetricSourceReading, NamedSource } from './metric-sources.ts';
import { type Credential, credentialIn, type SecretObject } from './source-credential.ts';

export interface SourceAccessOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly clock: Clock;
  /** Where the operator runs: Secrets are read there and nowhere else. */
  readonly ownNamespace: string;
  /** Something that a source demands became known, or another. */
  readonly onChange: () => void;
  /** Around the connections of a source with an authority of its own. */
  readonly observed?: (dispatcher: Dispatcher) => Dispatcher;
}

/** A source as it is named to people, and what they would name instead. */
interface Owner {
  readonly kind: 'MetricSource' | 'FlagSource';
  readonly name: string;
  /** "analysis.source" */
  readonly field: string;
}

/** What has to be known of the cluster before a source may be used. */
export interface SourceDemands {
  /** In the order in which they are asked for. */
  readonly secretRefs: readonly { readonly namespace: string; readonly name: string }[];
  readonly caBundle: string | undefined;
  /** Who may use it; undefined: everybody. */
  readonly namespaces: NonNullable<MetricSourceSpec['namespaces']> | undefined;
}

export type KnownCredential = Extract<Credential, { readonly kind: 'known' }>;

/** What a source demands, as far as it is known. */
type Met =
  | {
      readonly kind: 'met';
      /** One for each Secret that is demanded. */
      readonly credentials: readonly KnownCredential[];
      /** Trusts the authority that is demanded; undefined where none is. */
      readonly dispatcher: Dispatcher | undefined;
    }
  /** It cannot be used; the sentence says which and whose move it is. */
  | { readonly kind: 'missing'; readonly sentence: string }
  /** It is being read for the first time. */
  | { readonly kind: 'unread'; readonly sentence: string };

/** What is known of one object. */
interface Read<T> {
  readonly ref: ObjectRef;
  value: { readonly kind: 'read'; readonly it: T } | { readonly kind: 'failed'; readonly why: string } | undefined;
  dueMs: number;
  wantedMs: number;
}

type Labels = Readonly<Record<string, string>>;

const againMs = 60_000;
/** Until a Secret appears. */
const absentAgainMs = 10_000;
const longestSleepMs = 1_000;
/** What no release asks for is read no more, and at once when one does again. */
const wantedForMs = 600_000;
const forgottenAfterMs = 24 * 3_600_000;

export class SourceAccessReader {
  readonly #options: SourceAccessOptions;
  readonly #credentials = new Map<string, Read<Credential>>();
  readonly #labels = new Map<string, Read<Labels>>();
  readonly #agents = new Map<string, { readonly agent: Agent; readonly dispatcher: Dispatcher }>();
  #wake: AbortController | undefined;

  constructor(options: SourceAccessOptions) {
    this.#options = options;
  }

  /** The source as Rollouts of `namespace` may use it now. What is not known yet is read, and `onChange` tells. */
  admit(named: NamedSource, namespace: string): MetricSourceReading {
    if (named.kind !== 'found') return named;
    const { source, demands } = named;
    const owner = { kind: 'MetricSource', name: source.name, field: 'analysis.source' } as const;
    const met = this.meet(owner, demands, namespace);
    if (met.kind !== 'met') return met;
    const [credential] = met.credentials;
    const access = {
      ...source.access,
      ...(credential === undefined ? {} : { authorization: credential.authorization }),
      ...(met.dispatcher === undefined ? {} : { dispatcher: met.dispatcher }),
    };
    return { kind: 'found', source: { ...source, access } };
  }

  /** What Rollouts of `namespace` need in order to use a source. What is not known yet is read, and `onChange` tells. */
  meet(owner: Owner, demands: SourceDemands, namespace: string): Met {
    const refusal = this.#refusal(owner, demands, namespace);
    if (refusal !== undefined) return refusal;
    const credentials: KnownCredential[] = [];
    for (const secretRef of demands.secretRefs) {
      const credential = this.#credential(owner, secretRef);
      if (!('authorization' in credential)) return credential;
      credentials.push(credential);
    }
    const { caBundle } = demands;
    return { kind: 'met', credentials, dispatcher: caBundle === undefined ? undefined : this.#dispatcherFor(caBundle) };
  }

  /** Reads until `signal` aborts. Failures of the API server are waited for; it throws nothing of them. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#readDue(signal);
      if (this.#isIdle()) await clock.sleep(longestSleepMs, AbortSignal.any([signal, this.#wake.signal]));
    }
    await Promise.all([...this.#agents.values()].map(({ agent }) => agent.destroy()));
    this.#agents.clear();
  }

  #refusal(owner: Owner, demands: SourceDemands, namespace: string): Exclude<Met, { kind: 'met' }> | undefined {
    if (demands.namespaces === undefined) return undefined;
    const { kind, name, field } = owner;
    const known = this.#wanted(this.#labels, { name: namespace });
    if (known === undefined) return unread(owner, `the labels of namespace ${namespace}`);
    if (known.kind === 'failed')
      return missing(
        `Whether namespace ${namespace} may use ${kind} ${name} is not known: ${known.why}; the platform team gives the operator the right to get namespaces.`,
      );
    // The API server has checked the operators; zod says `undefined` where a field is left out.
    if (matchesSelector(demands.namespaces as Parameters<typeof matchesSelector>[0], known.it)) return undefined;
    return missing(
      `Namespace ${namespace} may not use ${kind} ${name}: its labels do not match spec.namespaces; the platform team allows it, or name another source (${field}).`,
    );
  }

  #credential(
    owner: Owner,
    secretRef: SourceDemands['secretRefs'][number],
  ): KnownCredential | Exclude<Met, { kind: 'met' }> {
    const { ownNamespace } = this.#options;
    const secret = `Secret ${secretRef.namespace}/${secretRef.name}`;
    const { kind, name } = owner;
    if (secretRef.namespace !== ownNamespace)
      return missing(
        `${kind} ${name} cannot be used: its credential is in ${secret}, but the operator reads Secrets in ${ownNamespace} only; the platform team moves it there.`,
      );
    const known = this.#wanted(this.#credentials, secretRef);
    if (known === undefined) return unread(owner, secret);
    if (known.kind === 'read' && known.it.kind === 'known') return known.it;
    const why = known.kind === 'failed' ? known.why : known.it.kind === 'wrong' ? known.it.why : '';
    return missing(`${kind} ${name} cannot be used: ${secret}: ${why}; the platform team corrects it.`);
  }

  /** One pool for each authority; there are as many as the platform team writes. */
  #dispatcherFor(caBundle: string): Dispatcher {
    const known = this.#agents.get(caBundle);
    if (known) return known.dispatcher;
    const agent = new Agent({ connect: { ca: caBundle } });
    const dispatcher = this.#options.observed?.(agent) ?? agent;
    this.#agents.set(caBundle, { agent, dispatcher });
    return dispatcher;
  }

  #wanted<T>(reads: Map<string, Read<T>>, ref: ObjectRef): Read<T>['value'] {
    const key = keyOf(ref);
    const nowMs = this.#options.clock.monotonicMs();
    const read = reads.get(key) ?? { ref, value: undefined, dueMs: nowMs, wantedMs: nowMs };
    read.wantedMs = nowMs;
    reads.set(key, read);
    if (read.dueMs <= nowMs) this.#wake?.abort();
    return read.value;
  }

  #isIdle(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    return ![...this.#credentials.values(), ...this.#labels.values()].some((read) => isDue(read, nowMs));
  }

  async #readDue(signal: AbortSignal): Promise<void> {
    await this.#refresh(
      this.#credentials,
      async (ref) => credentialIn(await this.#options.client.get<SecretObject>(secrets, ref, {}, signal)),
      sameCredential,
    );
    await this.#refresh(
      this.#labels,
      async (ref) => (await this.#options.client.get(namespaces, ref, {}, signal)).metadata.labels ?? {},
      (one, other) => JSON.stringify(one) === JSON.stringify(other),
    );
  }

  async #refresh<T>(
    reads: Map<string, Read<T>>,
    get: (ref: ObjectRef) => Promise<T>,
    isSame: (one: T, other: T) => boolean,
  ): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [key, read] of reads) {
      if (read.wantedMs < nowMs - forgottenAfterMs) reads.delete(key);
      else if (isDue(read, nowMs)) await this.#readOne(read, get, isSame);
    }
  }

  async #readOne<T>(
    read: Read<T>,
    get: (ref: ObjectRef) => Promise<T>,
    isSame: (one: T, other: T) => boolean,
  ): Promise<void> {
    const before = read.value;
    try {
      read.value = { kind: 'read', it: await get(read.ref) };
    } catch (error) {
      // An outage of the API server takes nothing away that was known; what was deleted or forbidden is gone.
      const isGone = isKubeError(error, 'NotFound') || isKubeError(error, 'Forbidden');
      if (isGone || before === undefined) read.value = { kind: 'failed', why: wordsOf(error) };
    }
    const isWell = read.value?.kind === 'read';
    read.dueMs = this.#options.clock.monotonicMs() + (isWell ? againMs : absentAgainMs);
    if (before === undefined || isOther(before, read.value, isSame)) this.#options.onChange();
  }
}

function isDue({ dueMs, wantedMs }: Read<unknown>, nowMs: number): boolean {
  return dueMs <= nowMs && wantedMs > nowMs - wantedForMs;
}

function isOther<T>(
  before: NonNullable<Read<T>['value']>,
  now: Read<T>['value'],
  isSame: (one: T, other: T) => boolean,
): boolean {
  if (before.kind === 'read' && now?.kind === 'read') return !isSame(before.it, now.it);
  return before.kind !== now?.kind || (before.kind === 'failed' && now.kind === 'failed' && before.why !== now.why);
}

function sameCredential(one: Credential, other: Credential): boolean {
  if (one.kind === 'known' && other.kind === 'known')
    return one.authorization.reveal() === other.authorization.reveal();
  return one.kind === 'wrong' && other.kind === 'wrong' && one.why === other.why;
}

function wordsOf(error: unknown): string {
  if (isKubeError(error, 'NotFound')) return 'it does not exist';
  if (isKubeError(error, 'Forbidden')) return 'the operator may not read it';
  return isKubeError(error) ? `it could not be read (${error.code})` : 'it could not be read';
}

function unread({ kind, name }: Owner, what: string): Extract<Met, { kind: 'unread' }> {
  return { kind: 'unread', sentence: `Reading ${what}, which ${kind} ${name} needs.` };
}

function missing(sentence: string): Extract<Met, { kind: 'missing' }> {
  return { kind: 'missing', sentence };
}
