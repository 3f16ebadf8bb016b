/**
 * Owns how it is seen what a flag backend serves: through the OpenFeature SDK, as an application evaluates, with a default that
 * would never be served, so that an application's default is not taken for an answer. It leaves nothing behind: every look
 * has an instance of the SDK of its own, and never the one that all of a program share.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  EvaluationContext,
  EvaluationDetails,
  JsonValue,
  OpenFeatureAPI,
  Provider,
} from '@openfeature/server-sdk';
import type { Served } from './target.ts';

export interface Asked {
  /** Name of the FlagSource. */
  readonly source: string;
  readonly flag: string;
  readonly variant: string;
  /** The value of the variant. */
  readonly expected: JsonValue;
  /** Of the change, where the backend gives it back in the metadata of the flag (`changeIdKey`). */
  readonly changeId?: string;
  /** Everybody whom it is asked for. Default: one without any attribute. */
  readonly contexts?: readonly EvaluationContext[];
  /** How many of them, in percent, must be served the variant. Default: all. */
  readonly share?: { readonly atLeast: number; readonly atMost: number };
}

/** Name of the metadata of a flag in which a change of Serin's says its id. */
export const changeIdKey = 'serinChange';

/**
 * Evaluates the flag with `provider`, which is closed afterwards. A provider that fails or does not start is an answer in words;
 * only the reason of `signal` is thrown.
 */
export async function readBack(provider: Provider, asked: Asked, signal: AbortSignal): Promise<Served> {
  const api = await isolated();
  const domain = `serin/${asked.source}`;
  try {
    await abortable(api.setProviderAndWait(domain, provider), signal);
    const client = api.getClient(domain);
    const seen: EvaluationDetails<JsonValue>[] = [];
    for (const context of asked.contexts ?? [{}]) seen.push(await abortable(detailsOf(client, asked, context), signal));
    return judged(seen, asked);
  } catch (error) {
    signal.throwIfAborted();
    return unserved(
      asked,
      `its evaluation does not start (${wordsOf(error)}); whoever runs the flag backend looks into it`,
    );
  } finally {
    await abortable(api.clearProviders(), signal).catch(() => undefined);
  }
}

type Client = ReturnType<OpenFeatureAPI['getClient']>;

/**
 * The constructor is private for applications, which would lose their providers in one of many; a look wants just that. Loaded
 * when a flag is looked at and not before: most operators have none.
 */
async function isolated(): Promise<OpenFeatureAPI> {
  const { OpenFeatureAPI: Api } = await import('@openfeature/server-sdk');
  const api: OpenFeatureAPI = Reflect.construct(Api, []);
  return api.setLogger(silent);
}

export const silent = { error: quiet, warn: quiet, info: quiet, debug: quiet };

function quiet(): void {}

function detailsOf(
  client: Client,
  { flag, expected }: Asked,
  context: EvaluationContext,
): Promise<EvaluationDetails<JsonValue>> {
  if (typeof expected === 'boolean') return client.getBooleanDetails(flag, !expected, context);
  if (typeof expected === 'string') return client.getStringDetails(flag, `not ${expected}`, context);
  if (typeof expected === 'number') return client.getNumberDetails(flag, expected === 0 ? 1 : -expected, context);
  return client.getObjectDetails(flag, { serin: 'not served' }, context);
}

function judged(seen: readonly EvaluationDetails<JsonValue>[], asked: Asked): Served {
  const broken = seen.map((one) => whyBroken(one)).find((why) => why !== undefined);
  if (broken !== undefined) return unserved(asked, broken);
  const others = seen.filter((one) => !isThat(one, asked));
  const stranger = seen.find((one) => asked.changeId !== undefined && one.flagMetadata[changeIdKey] !== asked.changeId);
  if (asked.share !== undefined)
    return stranger === undefined ? shared(seen.length, others.length, asked) : foreign(asked);
  if (others[0] !== undefined) return unserved(asked, `what is served is ${whatOf(others[0])}`);
  return stranger === undefined ? served(asked, 'is served') : foreign(asked);
}

/** Neither the value nor the error code is to be trusted here: a provider out of order gives the default, and any code. */
function whyBroken({ reason, errorMessage, errorCode }: EvaluationDetails<JsonValue>): string | undefined {
  if (reason === 'DISABLED')
    return 'it is switched off in its backend, so each application takes its own default; whoever owns the flag enables it';
  if (reason !== 'ERROR' && errorCode === undefined) return undefined;
  return `evaluating it fails (${(errorMessage ?? errorCode ?? 'without a word').slice(0, 200)})`;
}

function isThat(seen: EvaluationDetails<JsonValue>, { variant, expected }: Asked): boolean {
  return seen.variant === variant && isDeepStrictEqual(seen.value, expected);
}

function whatOf({ variant, value }: EvaluationDetails<JsonValue>): string {
  return variant === undefined
    ? `${JSON.stringify(value)?.slice(0, 60)}, and no variant`
    : `variant ${variant.slice(0, 64)}`;
}

function shared(all: number, others: number, asked: Asked & { readonly share?: Asked['share'] }): Served {
  const percent = (100 * (all - others)) / all;
  const { atLeast, atMost } = asked.share ?? { atLeast: 100, atMost: 100 };
  const what = `is served to ${percent.toFixed(1)} % of ${all} that were tried`;
  const fits = percent > 0 && percent >= atLeast && percent <= atMost;
  return fits ? served(asked, what) : unserved(asked, `it ${what}`);
}

function served({ flag, variant, source }: Asked, what: string): Served {
  return { served: true, sentence: `Variant ${variant} of flag ${flag} (FlagSource ${source}) ${what}.` };
}

function unserved({ flag, variant, source }: Asked, why: string): Served {
  return {
    served: false,
    sentence: `Variant ${variant} of flag ${flag} (FlagSource ${source}) is not served: ${why}.`,
  };
}

function foreign(asked: Asked): Served {
  return unserved(
    asked,
    'what is served does not come from this change; somebody else changed the flag, or the change is still on its way',
  );
}

/** What does not end by itself is left behind when the caller stops waiting. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
