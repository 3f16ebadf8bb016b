/**
 * Tries the admission guard on attached Deployments and says which guard counts in a namespace. Where the operator was told
 * to use the pause guard, nothing is tried: no answer could change anything.
 */
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { type ObjectRef, refOf } from '../kube/resources.ts';
import type { Guard } from '../release/world.ts';
import { proveGuard } from '../workload/guard.ts';
import { ATTACHED_LABEL } from '../workload/marks.ts';
import type { Deployment } from '../workload/objects.ts';
import { guardAs, type GuardMode } from './guard-mode.ts';
import { GuardProofs } from './guard-proofs.ts';
import { type Log, wordsOf } from './log.ts';
import { type Stores, targetKeyOf } from './stores.ts';

export interface GuardTrialsParts {
  readonly clock: Clock;
  readonly client: KubeClient;
  readonly log: Log;
  readonly stores: Pick<Stores, 'deployments' | 'rollouts'>;
  readonly mode: GuardMode;
  /** The guard of a namespace was seen to work, or to have stopped working. */
  readonly onChange: (namespace: string) => void;
}

export class GuardTrials {
  readonly #parts: GuardTrialsParts;
  readonly #proofs: GuardProofs;

  constructor(parts: GuardTrialsParts) {
    const { clock, client, log, stores, onChange } = parts;
    this.#parts = parts;
    this.#proofs = new GuardProofs({
      clock,
      probe: async ({ namespace, name }, signal) => {
        const deployment = stores.deployments.get(namespace, name);
        return deployment === undefined ? 'absent' : proveGuard(client, deployment, signal);
      },
      attached: () => this.#attached(),
      onChange: (namespace) => {
        log.info({ namespace, guard: this.#proofs.of(namespace) }, 'The admission guard was tried.');
        onChange(namespace);
      },
      onError: (error) => log.warn({ error: wordsOf(error) }, 'The admission guard could not be tried.'),
    });
  }

  of(namespace: string): Guard {
    return guardAs(this.#parts.mode, this.#proofs.of(namespace));
  }

  /** Tries it now, unless it was tried a moment ago. Throws when the API server could not answer. */
  async prove(deployment: Deployment, signal: AbortSignal): Promise<void> {
    if (this.#isTried) await this.#proofs.prove(deployment.metadata, signal);
  }

  /** What tries it again and again while this process leads; nothing where nothing is tried. */
  get loops(): readonly { readonly name: string; readonly run: (signal: AbortSignal) => Promise<void> }[] {
    return this.#isTried ? [{ name: 'guard proofs', run: (signal) => this.#proofs.run(signal) }] : [];
  }

  get #isTried(): boolean {
    return this.#parts.mode !== 'pause';
  }

  #attached(): readonly ObjectRef[] {
    const { rollouts, deployments } = this.#parts.stores;
    const isAttached = ({ namespace, name }: ObjectRef): boolean =>
      deployments.get(namespace, name)?.metadata.labels?.[ATTACHED_LABEL] === 'true';
    const targets = rollouts.all().map(targetKeyOf);
    return targets
      .filter((key) => key !== undefined)
      .map(refOf)
      .filter(isAttached);
  }
}
