/** Puts together what changes feature flags: the sources, what they demand, and the work on each change. It decides nothing. */
import { openTarget } from '../flags/open-target.ts';
import type { Metrics } from '../insight/metrics.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { type FlagAccess, type FlagOrder, Flags, type FlagWriteHook } from './flags.ts';
import { flagSourceOf } from './flag-sources.ts';
import { type Log, wordsOf } from './log.ts';
import { SourceAccessReader } from './source-access.ts';
import type { Stores } from './stores.ts';
import type { Purpose } from './watched-writes.ts';

export interface FlagWorkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'flagChanged'>;
  readonly stores: Pick<Stores, 'flagsources'>;
  /** Reads what FlagSources demand. */
  readonly client: Pick<KubeClient, 'get'>;
  /** A client whose writes are watched, for the flags that are objects of the cluster. */
  readonly clientFor: (purpose: Purpose) => KubeClient;
  readonly mayWrite: () => boolean;
  readonly ownNamespace: string | undefined;
  /** Something else is known now about a flag of this Rollout. */
  readonly onAnswer: (rollout: string) => void;
  readonly onWrite?: FlagWriteHook | undefined;
}

export interface FlagWork {
  readonly flags: Flags;
  /** Reads what is demanded and ends what is under way when `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function flagWorkOf(parts: FlagWorkParts): FlagWork {
  const { clock, random, log, metrics, stores, client } = parts;
  const access = new SourceAccessReader({
    client,
    clock,
    ownNamespace: parts.ownNamespace ?? 'serin-system',
    onChange: () => flags.reconsider(),
  });
  const flags = new Flags({
    clock,
    random,
    mayWrite: parts.mayWrite,
    accessTo: (rollout, order) => accessTo(parts, access, rollout, order),
    onAnswer: parts.onAnswer,
    onResult: (source, result) => metrics.flagChanged(source, result),
    onSurprise: (error, { task, entry }) =>
      log.error({ change: entry.id, task, error: wordsOf(error) }, 'A change of a flag met what it was not made for.'),
    onWrite: parts.onWrite,
  });
  stores.flagsources.onChange(() => flags.reconsider());
  return {
    flags,
    run: async (signal) => {
      await Promise.all([flags.run(signal), access.run(signal)]);
    },
  };
}

function accessTo(
  { clock, random, stores, clientFor }: FlagWorkParts,
  access: SourceAccessReader,
  rollout: string,
  { entry, namespace }: FlagOrder,
): FlagAccess {
  const named = flagSourceOf(stores.flagsources.all(), entry.source);
  if (named.kind === 'missing') return { kind: 'closed', sentence: named.sentence };
  const owner = { kind: 'FlagSource', name: entry.source, field: 'source of the flag' } as const;
  const met = access.meet(owner, named.demands, namespace);
  if (met.kind === 'unread') return { kind: 'unread' };
  if (met.kind === 'missing') return { kind: 'closed', sentence: met.sentence };
  const source = named.withCredentials(met.credentials);
  const target = openTarget(source, {
    clock,
    random,
    kube: clientFor({ rollout, reason: 'flag', message: `${entry.flag}: ${entry.variant}` }),
    ...(met.dispatcher === undefined ? {} : { dispatcher: met.dispatcher }),
  });
  return { kind: 'open', backend: source.backend.kind, target, withinMs: source.verifyWithinMs };
}
