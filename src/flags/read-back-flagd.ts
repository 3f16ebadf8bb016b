/** Owns how a flagd document is evaluated: with flagd's own evaluator, behind the OpenFeature SDK. It reads no cluster. */
import type { FlagdCore as Evaluator } from '@openfeature/flagd-core';
import type { EvaluationContext, JsonValue, Provider, ResolutionDetails } from '@openfeature/server-sdk';
import type { FlagdDocument } from './flagd-flag.ts';
import { readBack, silent } from './read-back.ts';
import type { FlagChange, Served } from './target.ts';

/** So many are tried to see a share: five standard deviations of the worst case are eight percent of them. */
const tried = 1000;
const tolerance = 8;

export interface Look {
  readonly source: string;
  /** Says that what is served must come from this change; else only the variant is asked for. */
  readonly isOwn: boolean;
  /** Others than those of the share may be served the variant too. */
  readonly hasRules: boolean;
}

/** Evaluates the flag of `change` as an application does that has this document. Throws only the reason of `signal`. */
export async function evaluated(
  document: FlagdDocument,
  change: FlagChange,
  { source, isOwn, hasRules }: Look,
  signal: AbortSignal,
): Promise<Served> {
  const { flag, variant, id, percent = 100 } = change;
  const expected = document.flags[flag]?.variants[variant];
  if (expected === undefined || expected === null)
    return {
      served: false,
      sentence: `Variant ${variant} of flag ${flag} (FlagSource ${source}) is not served: ${document.flags[flag] === undefined ? 'the flag is not there' : 'the flag has no such variant'}.`,
    };
  const share =
    percent >= 100
      ? {}
      : { contexts: people, share: { atLeast: percent - tolerance, atMost: hasRules ? 100 : percent + tolerance } };
  return await readBack(
    await providerOf(document),
    {
      source,
      flag,
      variant,
      // JSON as it came from a server: nothing in it is undefined.
      expected: expected as JsonValue,
      ...(isOwn ? { changeId: id } : {}),
      ...share,
    },
    signal,
  );
}

const people: readonly EvaluationContext[] = Array.from({ length: tried }, (_, n) => ({ targetingKey: `serin-${n}` }));

/**
 * The evaluator is loaded when a flag is looked at and not before: most operators have none. Without code generation: rules are
 * somebody's text, and no text becomes a program here.
 */
async function providerOf(document: FlagdDocument): Promise<Provider> {
  const { FlagdCore } = await import('@openfeature/flagd-core');
  return new FlagdProvider(new FlagdCore(undefined, silent, { disableDynamicCodeGeneration: true }), document);
}

class FlagdProvider implements Provider {
  readonly metadata = { name: 'serin-flagd' };
  readonly runsOn = 'server';
  readonly #core: Evaluator;
  readonly #document: FlagdDocument;

  constructor(core: Evaluator, document: FlagdDocument) {
    this.#core = core;
    this.#document = document;
  }

  /** Rejects for a document that flagd would not take. */
  async initialize(): Promise<void> {
    this.#core.setConfigurations(JSON.stringify(this.#document));
  }

  async resolveBooleanEvaluation(flag: string, otherwise: boolean, context: EvaluationContext) {
    return this.#core.resolveBooleanEvaluation(flag, otherwise, context, silent);
  }

  async resolveStringEvaluation(flag: string, otherwise: string, context: EvaluationContext) {
    return this.#core.resolveStringEvaluation(flag, otherwise, context, silent);
  }

  async resolveNumberEvaluation(flag: string, otherwise: number, context: EvaluationContext) {
    return this.#core.resolveNumberEvaluation(flag, otherwise, context, silent);
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    otherwise: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.#core.resolveObjectEvaluation(flag, otherwise, context, silent);
  }
}
