/**
 * What applications see of a flag of Unleash: its own SDK evaluates what was fetched for this one look. It asks nothing itself,
 * sends no metrics and keeps no file.
 */
import { once } from 'node:events';
import type { EvaluationContext, JsonValue, Provider, ResolutionDetails } from '@openfeature/server-sdk';
import { type Context, InMemStorageProvider, Unleash } from 'unleash-client';
import { readBack } from './read-back.ts';
import type { FlagChange, Served } from './target.ts';
import type { ClientFeatures } from './unleash-api.ts';

/** People who are tried. A share of so many is known to about 4 points. */
const many = 500;
const toleratedPoints = 8;

type Bootstrap = NonNullable<NonNullable<ConstructorParameters<typeof Unleash>[0]['bootstrap']>['data']>;

/** One look at features that were fetched now. */
export async function evaluated(
  source: string,
  change: FlagChange,
  features: ClientFeatures,
  signal: AbortSignal,
): Promise<Served> {
  const { flag, variant, percent } = change;
  const unleash = new Unleash({
    appName: 'serin',
    // Nothing is fetched: without an interval it never asks.
    url: 'http://localhost/',
    refreshInterval: 0,
    disableMetrics: true,
    bootstrap: { data: features.features as unknown as Bootstrap },
    storageProvider: new InMemStorageProvider(),
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  unleash.on('error', () => undefined);
  unleash.on('warn', () => undefined);
  try {
    const ready = once(unleash, 'ready');
    await unleash.start();
    // It says off to everything until then; with nothing at all it never is.
    if (features.features.length > 0) await ready;
    const people = peopleOf(features, flag);
    const isVariant = variant !== 'on' && variant !== 'off';
    const letIn = people.filter((one) => unleash.isEnabled(flag, contextOf(one)));
    const asked = {
      source,
      flag,
      variant,
      expected: isVariant ? variant : variant === 'on',
      // With a variant and no share: whoever is let in gets it.
      contexts: isVariant && percent === undefined && letIn.length > 0 ? letIn : people,
    };
    return await readBack(new UnleashView(unleash), { ...asked, ...shareOf(change) }, signal);
  } finally {
    unleash.destroy();
  }
}

function shareOf({ variant, percent }: FlagChange) {
  if (variant === 'off' || percent === 100) return {};
  // On, with its strategies as they are: to somebody.
  if (percent === undefined) return variant === 'on' ? { share: { atLeast: 0, atMost: 100 } } : {};
  return { share: { atLeast: percent - toleratedPoints, atMost: percent + toleratedPoints } };
}

/** With all that a gradual rollout may go by. */
function peopleOf({ features }: ClientFeatures, flag: string): readonly EvaluationContext[] {
  const strategies = features.find(({ name }) => name === flag)?.strategies ?? [];
  const stickiness = strategies.flatMap((one) => {
    const { parameters } = Object(one) as { readonly parameters?: Readonly<Record<string, string>> };
    const { stickiness: by } = parameters ?? {};
    return by === undefined || ['default', 'random'].includes(by) ? [] : [by];
  });
  return Array.from({ length: many }, (_, at) => {
    const id = `serin-${at}`;
    return { userId: id, sessionId: id, ...Object.fromEntries(stickiness.map((name) => [name, id])) };
  });
}

/** Of what `peopleOf` made: texts alone. */
function contextOf(person: EvaluationContext): Context {
  const texts = Object.entries(person).filter((one): one is [string, string] => typeof one[1] === 'string');
  const { userId = '', sessionId = '', ...properties } = Object.fromEntries(texts);
  return { userId, sessionId, properties };
}

class UnleashView implements Provider {
  readonly metadata = { name: 'unleash' };
  readonly runsOn = 'server';
  readonly #unleash: Unleash;

  constructor(unleash: Unleash) {
    this.#unleash = unleash;
  }

  async resolveBooleanEvaluation(
    flag: string,
    _default: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    this.#known(flag);
    const value = this.#unleash.isEnabled(flag, contextOf(context));
    return { value, variant: value ? 'on' : 'off', reason: 'TARGETING_MATCH' };
  }

  async resolveStringEvaluation(
    flag: string,
    _default: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    this.#known(flag);
    const { name, feature_enabled: isOn = false } = this.#unleash.getVariant(flag, contextOf(context));
    const variant = isOn ? name : 'off';
    return { value: variant, variant, reason: 'TARGETING_MATCH' };
  }

  async resolveNumberEvaluation(): Promise<ResolutionDetails<number>> {
    throw new Error('flags of Unleash are on, off or a variant');
  }

  async resolveObjectEvaluation<T extends JsonValue>(): Promise<ResolutionDetails<T>> {
    throw new Error('flags of Unleash are on, off or a variant');
  }

  /** The SDK calls what it does not know off. */
  #known(flag: string): void {
    if (this.#unleash.getFeatureToggleDefinition(flag) === undefined)
      throw new Error(
        'applications do not get this flag; the token of clientAuth is for its project and environment, or it is archived',
      );
  }
}
