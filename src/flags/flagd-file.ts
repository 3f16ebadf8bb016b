/**
 * Changes a flag in a flagd file that stands in a ConfigMap: its state, its default variant, its rules and two words of metadata,
 * and nothing else of the file. It never writes over what a person has changed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { configMaps, type KubeObject } from '../kube/resources.ts';
import { isRemembered, remembering } from './change-memory.ts';
import { escaped } from './json-pointer.ts';
import { FlagError } from './flag-error.ts';
import { type FlagdFlag, flagOf, isJsonMap, type JsonMap, type Serving, serving } from './flagd-flag.ts';
import {
  changeIn,
  type Decisive,
  decisiveFor,
  decisiveIn,
  decisiveOf,
  documentOf,
  edited,
  type FlagdText,
  flagdTextOf,
  flagWith,
  isServing,
} from './flagd-text.ts';
import { ofCluster, untilWritten, written } from './kube-refusal.ts';
import { packPrevious, unpackPrevious, unreadable } from './previous.ts';
import { evaluated } from './read-back-flagd.ts';
import type { FlagdFileBackend, FlagSourceOf } from './source.ts';
import type { FlagChange, FlagPlan, FlagTarget, Served } from './target.ts';

interface Parts {
  readonly kube: KubeClient;
  readonly clock: Clock;
}

/** A target that reads and writes one key of a ConfigMap in the namespace of the change. */
export function flagdFileTarget(source: FlagSourceOf, backend: FlagdFileBackend, parts: Parts): FlagTarget {
  return new FlagdFileTarget(source.name, backend, parts);
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** The file as it was read, with the flag in it. */
interface View {
  readonly object: ConfigMap;
  readonly file: FlagdText;
  readonly entry: JsonMap;
  readonly flag: FlagdFlag;
}

class FlagdFileTarget implements FlagTarget {
  readonly #source: string;
  readonly #backend: FlagdFileBackend;
  readonly #kube: KubeClient;
  readonly #clock: Clock;

  constructor(source: string, backend: FlagdFileBackend, { kube, clock }: Parts) {
    this.#source = source;
    this.#backend = backend;
    this.#kube = kube;
    this.#clock = clock;
  }

  async plan(change: FlagChange, signal: AbortSignal): Promise<FlagPlan> {
    const what = this.#what('read', change);
    const { file, entry, flag } = await this.#view(change, what, signal);
    const isPlain = flag.targeting === undefined && (change.percent ?? 100) >= 100;
    const look = { source: this.#source, isOwn: false, hasRules: false };
    const isServed = isPlain && (await evaluated(documentOf(file, change.flag), change, look, signal)).served;
    return { previous: packPrevious(decisiveOf(entry), what), isServed };
  }

  async apply(change: FlagChange, previous: string, signal: AbortSignal): Promise<void> {
    const what = this.#what('change', change);
    const before = this.#before(previous, what);
    await untilWritten(what, async () => {
      const view = await this.#view(change, what, signal);
      if (isRemembered(view.object, change.id) || changeIn(view.entry)?.id === change.id) return true;
      if (!isDeepStrictEqual(decisiveOf(view.entry), before))
        throw new FlagError(
          'refused',
          `${what}: somebody changed it in ConfigMap ${change.namespace}/${this.#backend.configMap} since Serin read it, and Serin leaves that alone.`,
        );
      const at = new Date(this.#clock.nowMs()).toISOString();
      const text = edited(view.file, change.flag, view.entry, decisiveFor(serving(change, view.flag), change.id, at));
      await this.#refuseBroken(text, view, change, what, signal);
      return await this.#write(view.object, text, change.id, what, signal);
    });
  }

  async verify(change: FlagChange, signal: AbortSignal): Promise<Served> {
    const { file, flag, entry } = await this.#view(change, this.#what('verify', change), signal);
    const look = { source: this.#source, isOwn: true, hasRules: hasRules(flag, change) };
    const seen = await evaluated(documentOf(file, change.flag), change, look, signal);
    const leftMs = Date.parse(changeIn(entry)?.at ?? '') + this.#backend.delayMs - this.#clock.nowMs();
    if (!seen.served || !(leftMs > 0)) return seen;
    return {
      served: false,
      sentence: `Variant ${change.variant} of flag ${change.flag} (FlagSource ${this.#source}) stands in ConfigMap ${change.namespace}/${this.#backend.configMap}, and the nodes may need ${Math.ceil(leftMs / 1000)}s more to bring it to flagd.`,
    };
  }

  async revert(change: FlagChange, previous: string, signal: AbortSignal): Promise<'reverted' | 'keptByOthers'> {
    const what = this.#what('turn back', change);
    const before = this.#before(previous, what);
    let isKept = false;
    await untilWritten(what, async () => {
      const { object, file, entry } = await this.#read(change, what, signal);
      const now = decisiveOf(entry);
      if (isDeepStrictEqual(now, before)) return true;
      const wrote = wroteBy(change, entry, before);
      isKept = wrote === undefined || !isServing(now, wrote, change.id);
      if (isKept) return true;
      return await this.#write(object, edited(file, change.flag, entry, before), undefined, what, signal);
    });
    return isKept ? 'keptByOthers' : 'reverted';
  }

  #before(previous: string, what: string): Decisive {
    const read = decisiveIn(unpackPrevious(previous, what));
    if (read !== undefined) return read;
    throw unreadable(what);
  }

  /** The file, with a flag in it that may be anything. */
  async #read(change: FlagChange, what: string, signal: AbortSignal): Promise<Omit<View, 'flag'>> {
    const { configMap: name, key } = this.#backend;
    const { namespace, flag } = change;
    const ref = { namespace, name };
    const object = await ofCluster(what, () => this.#kube.get<ConfigMap>(configMaps, ref, {}, signal), signal);
    const text = object.data?.[key];
    const where = `ConfigMap ${namespace}/${name}`;
    if (text === undefined)
      throw new FlagError(
        'notFound',
        `${what}: ${where} has no key ${key}; its owner adds it, or the platform team corrects the FlagSource.`,
      );
    const file = flagdTextOf(text);
    if (file === undefined)
      throw new FlagError(
        'invalid',
        `${what}: key ${key} of ${where} is no flagd file in JSON with flags; its owner corrects it.`,
      );
    const entry = Object.hasOwn(file.flags, flag) ? file.flags[flag] : undefined;
    if (!isJsonMap(entry))
      throw new FlagError(
        'notFound',
        `${what}: key ${key} of ${where} does not define it; its owner adds it, or correct the name in the Rollout.`,
      );
    return { object, file, entry };
  }

  async #view(change: FlagChange, what: string, signal: AbortSignal): Promise<View> {
    const read = await this.#read(change, what, signal);
    const flag = flagOf(read.entry);
    const where = `ConfigMap ${change.namespace}/${this.#backend.configMap}`;
    if (flag === undefined)
      throw new FlagError('invalid', `${what}: ${where} gives it no state or no variants; its owner corrects it.`);
    if (!Object.hasOwn(flag.variants, change.variant))
      throw new FlagError(
        'notFound',
        `${what}: ${where} has no variant ${change.variant} of it, but ${Object.keys(flag.variants).slice(0, 10).join(', ')}; correct the Rollout, or the owner of the flag adds it.`,
      );
    if ((change.percent ?? 100) < 100 && flag.defaultVariant === undefined)
      throw new FlagError(
        'invalid',
        `${what} for a share of users: it has no default variant for the others; its owner names one.`,
      );
    return { ...read, flag };
  }

  async #refuseBroken(text: string, view: View, change: FlagChange, what: string, signal: AbortSignal): Promise<void> {
    const look = { source: this.#source, isOwn: true, hasRules: view.flag.targeting !== undefined };
    const file = flagdTextOf(text) ?? view.file;
    const seen = await evaluated(documentOf(file, change.flag), change, look, signal);
    if (!seen.served) throw new FlagError('invalid', `${what}, for flagd would not serve it. ${seen.sentence}`);
  }

  /** False: the object is not any more as it was read. */
  #write(object: ConfigMap, text: string, id: string | undefined, what: string, signal: AbortSignal): Promise<boolean> {
    const { namespace, name, resourceVersion } = object.metadata;
    const memory = id === undefined ? [] : remembering(object, id);
    const data = { op: 'replace', path: `/data/${escaped(this.#backend.key)}`, value: text } as const;
    const write = () =>
      this.#kube.jsonPatch(configMaps, { namespace, name }, [data, ...memory], { resourceVersion }, signal);
    return written(what, write, signal);
  }

  #what(verb: string, { flag, namespace }: FlagChange): string {
    return `FlagSource ${this.#source} cannot ${verb} flag ${flag} for namespace ${namespace}`;
  }
}

/** What the change wrote, worked out again from what was there before it. */
function wroteBy(change: FlagChange, { variants }: JsonMap, before: Decisive): Serving | undefined {
  const was = isJsonMap(variants) ? flagWith(variants, before) : undefined;
  return was === undefined ? undefined : serving(change, was);
}

/** Rules of the file's own beside a share: others than its users may be served the variant too. */
function hasRules({ targeting }: FlagdFlag, { percent = 100 }: FlagChange): boolean {
  return percent < 100 && targeting !== undefined && !Object.hasOwn(targeting, 'fractional');
}
