/**
 * The parts of `serin uninstall` that wait: for the operator to let go of its Rollouts, for its processes to end, for kinds to
 * be gone. It works by hand only where no operator lives: two writers undo each other.
 */
import { releaseRecordKind, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { type Hand, takeOffByHand, takeOffFinalizers } from '../controller/by-hand.ts';
import type { Rollout } from '../controller/stores.ts';
import { findTraces, known, namespacesOf } from '../controller/traces.ts';
import { isKubeError } from '../kube/errors.ts';
import { describe, keyOf, type KubeObject, leases, pods, type ResourceKind } from '../kube/resources.ts';
import { CliError } from './failure.ts';
import { HOME, type Piece, remove } from './installation.ts';
import type { RolloutObject } from './objects.ts';

export interface Leaving {
  readonly hand: Hand;
  /** Left out: the whole cluster. */
  readonly namespace: string | undefined;
}

const POLL_MS = 1_000;
/** A leader renews every 2 s and is given up after 15. */
const SILENT_MS = 20_000;
const GONE_WITHIN_MS = 120_000;

/** Comes back when every Rollout is gone, or when no operator lives that would let go of those that are left. */
export async function letGo(leaving: Leaving, rollouts: readonly Rollout[], timeoutMs: number): Promise<void> {
  const { hand, namespace } = leaving;
  const { client, clock, say } = hand;
  for (const { metadata } of rollouts) await removeRollout(leaving, metadata);
  const pulse = new Pulse(hand);
  const told = new Map<string, string>();
  for (const untilMs = clock.monotonicMs() + timeoutMs; ; await clock.sleep(POLL_MS)) {
    const left = await known<RolloutObject>(client, rolloutKind, namespace);
    if (left.length === 0) return;
    for (const rollout of left) tell(rollout, told, say);
    const silentMs = await pulse.silentMs(left);
    if (silentMs > SILENT_MS) {
      say(`no operator runs, so this is done by hand: ${left.map(({ metadata }) => keyOf(metadata)).join(', ')}`);
      return;
    }
    if (clock.monotonicMs() > untilMs) throw tooLate(left, timeoutMs);
  }
}

async function removeRollout({ hand }: Leaving, { namespace, name, uid }: KubeObject['metadata']): Promise<void> {
  try {
    await hand.client.delete(rolloutKind, { namespace, name }, { uid });
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
  }
}

/** What the operator says of each Rollout, once for each news. */
function tell({ metadata, status }: RolloutObject, told: Map<string, string>, say: (line: string) => void): void {
  const news = status?.message ?? 'is being deleted';
  const key = keyOf(metadata);
  if (told.get(key) === news) return;
  told.set(key, news);
  say(`Rollout ${key}: ${news}`);
}

function tooLate(left: readonly RolloutObject[], timeoutMs: number): CliError {
  const first = left[0];
  const which = left.map(({ metadata }) => keyOf(metadata)).join(', ');
  return new CliError(
    `the operator runs but did not let go of ${which} within ${Math.round(timeoutMs / 1000)}s (${first?.status?.message ?? 'it says nothing'}); policies and kinds were left in place. Wait and run this again, or stop the operator first: then it is done by hand.`,
    EXIT.timedOut,
  );
}

/** Whether some operator still renews its Lease, by our own clock: another machine's may be wrong. */
class Pulse {
  readonly #hand: Hand;
  readonly #versions = new Map<string, string>();
  #beatAtMs: number;

  constructor(hand: Hand) {
    this.#hand = hand;
    this.#beatAtMs = hand.clock.monotonicMs();
  }

  /** Since when none of the Leases that concern these Rollouts was renewed. */
  async silentMs(rollouts: readonly RolloutObject[]): Promise<number> {
    const { client, clock } = this.#hand;
    const names = new Set(['serin', ...rollouts.map(({ metadata }) => `serin-${metadata.namespace ?? ''}`)]);
    for (const { metadata } of await known(client, leases, HOME)) {
      const before = this.#versions.get(metadata.name);
      this.#versions.set(metadata.name, metadata.resourceVersion);
      const isBeat = before !== undefined && before !== metadata.resourceVersion;
      if (isBeat && names.has(metadata.name)) this.#beatAtMs = clock.monotonicMs();
    }
    return clock.monotonicMs() - this.#beatAtMs;
  }
}

/** Ends the operator's processes, so that none comes to life in the middle of the rest. */
export async function stopOperators({ hand }: Leaving, operators: readonly Piece[]): Promise<void> {
  const { client, clock, say } = hand;
  await remove(client, operators, say);
  const instances = operators.map(({ object }) => object.metadata.labels?.['app.kubernetes.io/instance'] ?? '');
  const labelSelector = `app.kubernetes.io/part-of=serin,app.kubernetes.io/instance in (${instances.join(',')})`;
  if (operators.length === 0) return;
  for (const untilMs = clock.monotonicMs() + GONE_WITHIN_MS; ; await clock.sleep(POLL_MS)) {
    const { items } = await client.list(pods, { namespace: HOME, labelSelector });
    if (items.length === 0) return;
    if (clock.monotonicMs() > untilMs)
      throw new CliError(
        `pods of the operator in namespace ${HOME} do not end; end them and run this again`,
        EXIT.timedOut,
      );
  }
}

/** Whatever no operator took off. @returns what stands in the way, one sentence each. */
export async function takeOffTheRest({ hand, namespace }: Leaving): Promise<readonly string[]> {
  const traces = await findTraces(hand.client, namespace);
  const obstacles: string[] = [];
  for (const one of namespacesOf(traces)) {
    const found = await takeOffByHand(hand, one);
    if (found.length === 0) await takeOffFinalizers(hand, rolloutKind, one);
    obstacles.push(...found);
  }
  return obstacles;
}

/** Records were guarded by a policy that is just being deleted: it goes on refusing for a moment. */
export async function releaseRecords({ hand, namespace }: Leaving): Promise<void> {
  const { clock } = hand;
  for (const untilMs = clock.monotonicMs() + SILENT_MS; ; await clock.sleep(POLL_MS)) {
    try {
      await takeOffFinalizers(hand, releaseRecordKind, namespace, { asSerin: namespace !== undefined });
      return;
    } catch (error) {
      if (!isKubeError(error, 'Forbidden') || clock.monotonicMs() > untilMs) throw error;
    }
  }
}

/** Comes back when the API server does not know the kind any more. */
export async function untilUnknown({ hand }: Leaving, kind: ResourceKind): Promise<void> {
  const { client, clock } = hand;
  for (const untilMs = clock.monotonicMs() + GONE_WITHIN_MS; ; await clock.sleep(POLL_MS)) {
    try {
      const { items } = await client.list(kind);
      if (clock.monotonicMs() > untilMs) throw stuck(kind, items);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return;
      throw error;
    }
  }
}

/** Comes back when these are gone. */
export async function untilGone({ hand }: Leaving, pieces: readonly Piece[]): Promise<void> {
  const { client, clock } = hand;
  for (const { kind, object } of pieces)
    for (const untilMs = clock.monotonicMs() + GONE_WITHIN_MS; ; await clock.sleep(POLL_MS)) {
      if ((await client.find(kind, object.metadata)) === undefined) break;
      if (clock.monotonicMs() > untilMs) throw stuck(kind, [object]);
    }
}

function stuck(kind: ResourceKind, items: readonly KubeObject[]): CliError {
  const which = items.map(({ metadata }) => describe(kind, metadata)).join(', ');
  return new CliError(
    `${which === '' ? kind.plural : which} did not go within ${GONE_WITHIN_MS / 1000}s; a finalizer of somebody else's may hold it: kubectl get ${kind.plural} -A -o yaml`,
    EXIT.timedOut,
  );
}
