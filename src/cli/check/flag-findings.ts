/**
 * Says whether the flags that a Rollout would change could be changed: the source, who may use it, and for flags in the cluster
 * whether they have the variant. It reads with the rights of whoever asks, and contacts no flag server.
 */
import { flagSourceKind } from '../../api/kinds.ts';
import type { EffectiveFlag, EffectiveSpec } from '../../api/effective.ts';
import { flagSourceOf, type NamedFlagSource } from '../../controller/flag-sources.ts';
import type { FlagSource } from '../../controller/stores.ts';
import { isFlagError } from '../../flags/flag-error.ts';
import { openTarget } from '../../flags/open-target.ts';
import type { FlagSourceOf } from '../../flags/source.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import { isKubeError } from '../../kube/errors.ts';
import { namespaces } from '../../kube/resources.ts';
import { matchesSelector } from '../../workload/selector.ts';
import { type Finding, findingsOf } from './finding.ts';
import { mayOperator, type Right } from './rights-findings.ts';

const { ok, fail, unknown } = findingsOf('flags');

interface FlagSight {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the Rollout. */
  readonly namespace: string;
}

/** Every flag that this Rollout may change, by a step or because of harm. */
function flagsIn({ strategy, onAnomaly }: EffectiveSpec): readonly EffectiveFlag[] {
  const named = [
    ...strategy.steps.flatMap(({ flag }) => flag ?? []),
    ...onAnomaly.flatMap((rung) => (rung.kind === 'flag' ? [rung] : [])),
  ];
  const seen = new Map(named.map((flag) => [`${flag.source} ${flag.name} ${flag.variant}`, flag]));
  return [...seen.values()];
}

/** One finding for each flag; none when the Rollout changes no flags. */
export async function flagFindings(spec: EffectiveSpec, sight: FlagSight): Promise<readonly Finding[]> {
  const flags = flagsIn(spec);
  if (flags.length === 0) return [];
  const sources = await listed(sight.client);
  if (typeof sources === 'string') return [unknown(sources)];
  const findings: Finding[] = [];
  for (const flag of flags) findings.push(await findingOf(flag, flagSourceOf(sources, flag.source), sight));
  return findings;
}

/** A sentence when they cannot be seen. */
async function listed(client: KubeClient): Promise<readonly FlagSource[] | string> {
  try {
    return (await client.list<FlagSource>(flagSourceKind, {})).items;
  } catch (error) {
    if (isKubeError(error, 'Forbidden'))
      return 'You may not list FlagSources, so whether the flags of this Rollout can be changed is not known; the operator may.';
    if (isKubeError(error, 'NotFound'))
      return 'This cluster does not know FlagSources: update the installation of Serin.';
    if (isKubeError(error))
      return `FlagSources could not be listed (${error.code}), so nothing can be said about flags.`;
    throw error;
  }
}

async function findingOf(flag: EffectiveFlag, named: NamedFlagSource, sight: FlagSight): Promise<Finding> {
  if (named.kind === 'missing') return fail(named.sentence);
  const { demands, withCredentials } = named;
  const refusal = demands.namespaces === undefined ? undefined : await refusalOf(flag, demands.namespaces, sight);
  if (refusal !== undefined) return refusal;
  const [secretRef] = demands.secretRefs;
  if (secretRef !== undefined || demands.caBundle !== undefined)
    return unknown(
      `Flag ${flag.name} is changed through FlagSource ${flag.source}, with a credential or an authority of its own, which the operator has and this command does not.`,
    );
  return readAsOperator(flag, withCredentials([]), sight);
}

async function refusalOf(
  { source }: EffectiveFlag,
  selector: Parameters<typeof matchesSelector>[0] | object,
  { client, namespace }: FlagSight,
): Promise<Finding | undefined> {
  try {
    const { metadata } = await client.get(namespaces, { name: namespace });
    if (matchesSelector(selector, metadata.labels ?? {})) return undefined;
    return fail(
      `Namespace ${namespace} may not use FlagSource ${source}: its labels do not match spec.namespaces; the platform team allows it, or name another source.`,
    );
  } catch (error) {
    if (isKubeError(error, 'Forbidden'))
      return unknown(
        `You may not get namespace ${namespace}, so whether it may use FlagSource ${source} is not known.`,
      );
    throw error;
  }
}

/** Flags in the cluster are read as the operator would read them; a server is not asked. */
async function readAsOperator(flag: EffectiveFlag, source: FlagSourceOf, sight: FlagSight): Promise<Finding> {
  const needed = rightFor(source.backend);
  if (needed === undefined)
    return unknown(
      `Flag ${flag.name} is changed through FlagSource ${flag.source}, a server that only the operator asks.`,
    );
  const { client: kube, clock, random, namespace } = sight;
  const change = { id: 'check', flag: flag.name, variant: flag.variant, namespace };
  try {
    await openTarget(source, { clock, random, kube }).plan(change, new AbortController().signal);
  } catch (error) {
    if (isFlagError(error, 'denied')) return unknown(`${error.message} This command asked with your rights.`);
    if (isFlagError(error)) return fail(error.message);
    throw error;
  }
  const { right, role } = needed;
  const may = await mayOperator(kube, namespace, right);
  const whole = `Flag ${flag.name} of FlagSource ${flag.source} has the variant ${flag.variant}`;
  if (may === true) return ok(`${whole}, and Serin's own account may change it in ${namespace}.`);
  if (may === undefined) return ok(`${whole}; the operator needs ClusterRole ${role} or its like in ${namespace}.`);
  return fail(
    `${whole}, but Serin's own account may not ${right.verb} ${right.resource} in ${namespace}: the platform team binds ClusterRole ${role} or its like there (docs/install.md).`,
  );
}

/** Undefined for a server. */
function rightFor(backend: FlagSourceOf['backend']): { readonly right: Right; readonly role: string } | undefined {
  switch (backend.kind) {
    case 'featureFlag':
      return {
        right: { verb: 'patch', group: 'core.openfeature.dev', resource: 'featureflags' },
        role: 'serin-flags-openfeature',
      };
    case 'flagdFile':
      return {
        right: { verb: 'patch', group: '', resource: 'configmaps', name: backend.configMap },
        role: 'serin-flags-configmap',
      };
    case 'unleash':
    case 'http':
    case 'flipt':
      return undefined;
    default:
      return backend satisfies never;
  }
}
