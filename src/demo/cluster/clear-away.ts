/** Takes away all that a demo made on a real cluster, in the order in which nothing is stranded. It touches nothing else. */
import { releaseRecordKind, rolloutKind } from '../../api/kinds.ts';
import { handOf, takeOffFinalizers } from '../../controller/by-hand.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { isKubeError } from '../../kube/errors.ts';
import { leases, namespaces, type ObjectRef, type ResourceKind } from '../../kube/resources.ts';
import type { OperatorChild } from '../operator-child.ts';
import { shopName } from '../shop.ts';
import { leaseOf } from './operators.ts';

export interface Made {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly namespace: string;
  /** That the demo brought along. */
  readonly operator: OperatorChild | undefined;
  readonly say: (line: string) => void;
}

const letGoMs = 60_000;
const goneMs = 120_000;

/** Throws an Error that says what is left and how it is removed. */
export async function clearAway({ client, clock, namespace, operator, say }: Made): Promise<void> {
  try {
    if ((await client.find(namespaces, { name: namespace })) === undefined) return;
    say(`Taking namespace ${namespace} away again.`);
    await remove(client, rolloutKind, { namespace, name: shopName });
    // The operator gives back what it holds; it must live until then.
    await untilGone(client, clock, rolloutKind, { namespace, name: shopName }, letGoMs);
    await operator?.stop();
    await remove(client, namespaces, { name: namespace });
    // Where no operator did it, nothing is left in this namespace that its marks could protect.
    const hand = handOf(client, clock, () => undefined);
    for (const kind of [rolloutKind, releaseRecordKind])
      await takeOffFinalizers(hand, kind, namespace, { asSerin: true });
    if (operator !== undefined) await remove(client, leases, leaseOf(namespace));
    if (!(await untilGone(client, clock, namespaces, { name: namespace }, goneMs)))
      throw new Error(`it still ends after ${goneMs / 1000} s`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`namespace ${namespace} of the demo is left (${why}): kubectl delete namespace ${namespace}`, {
      cause: error,
    });
  } finally {
    await operator?.stop();
  }
}

async function remove(client: KubeClient, kind: ResourceKind, ref: ObjectRef): Promise<void> {
  try {
    await client.delete(kind, ref, { propagation: 'Background' });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

async function untilGone(
  client: KubeClient,
  clock: Clock,
  kind: ResourceKind,
  ref: ObjectRef,
  patienceMs: number,
): Promise<boolean> {
  for (const endMs = clock.monotonicMs() + patienceMs; clock.monotonicMs() < endMs; await clock.sleep(500))
    if ((await client.find(kind, ref)) === undefined) return true;
  return false;
}
