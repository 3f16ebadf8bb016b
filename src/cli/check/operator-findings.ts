/** Looks whether an operator is alive, by the Lease that it renews every few seconds. */
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, leases } from '../../kube/resources.ts';
import { spanOf } from '../table.ts';
import { type Finding, findingsOf, install } from './finding.ts';

const { ok, fail, unknown } = findingsOf('operator');

const SYSTEM = 'serin-system';
/** A Lease lasts 15 s; the rest is for clocks that differ. */
const SILENT_MS = 60_000;

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

/** `namespace`: an operator for that one alone has a Lease of its own. */
export async function operatorFindings(
  client: KubeClient,
  namespace: string | undefined,
  nowMs: number,
): Promise<readonly Finding[]> {
  const names = ['serin', ...(namespace === undefined ? [] : [`serin-${namespace}`])];
  try {
    const found = await Promise.all(names.map((name) => client.find<Lease>(leases, { namespace: SYSTEM, name })));
    return [
      verdict(
        found.filter((lease) => lease !== undefined),
        nowMs,
      ),
    ];
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    return [unknown(`You may not read the Lease in ${SYSTEM}, so whether an operator runs is not known.`)];
  }
}

function verdict(found: readonly Lease[], nowMs: number): Finding {
  const [newest] = found.toSorted((a, b) => renewedMs(b) - renewedMs(a));
  if (newest === undefined)
    return fail(
      `No operator has run here: there is no Lease in ${SYSTEM}; ${install}, and looks at its pods if that was done.`,
    );
  const { holderIdentity = '' } = newest.spec ?? {};
  const silentMs = nowMs - renewedMs(newest);
  if (holderIdentity === '')
    return fail(`No operator runs: the last one released its Lease; the platform team looks at the pods in ${SYSTEM}.`);
  if (silentMs > SILENT_MS)
    return fail(
      `No operator runs: ${holderIdentity} renewed its Lease ${spanOf(silentMs)} ago; the platform team looks at the pods in ${SYSTEM}.`,
    );
  return ok(`An operator runs (${holderIdentity}).`);
}

function renewedMs({ spec }: Lease): number {
  return spec?.renewTime === undefined ? 0 : Date.parse(spec.renewTime);
}
