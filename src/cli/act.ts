/** `serin pause|resume|abort|retry|promote|skip|restore-flags`: writes one RolloutAction and waits for Serin's answer; it never edits a Rollout. */
import { rolloutActionKind, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { isKubeError } from '../kube/errors.ts';
import { type Act, commandOf, isAboutOneRevision } from './act-words.ts';
import { CliError } from './failure.ts';
import type { RolloutActionObject, RolloutObject } from './objects.ts';
import { revisionFor } from './revision.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from './session.ts';

export interface ActOptions extends GlobalOptions {
  /** The beginning of a revision's name. */
  readonly revision?: string | undefined;
  readonly reason?: string | undefined;
  readonly wait: boolean;
  readonly timeoutMs: number;
}

const pollMs = 300;

/** Exit code 0 when Serin accepted (or `wait` is off), 4 when it refused, 5 when it did not answer in time. */
export async function act(action: Act, name: string, options: ActOptions, around: Surroundings): Promise<number> {
  return withSession(around, options, async (session) => {
    const created = await create(action, name, options, session);
    if (!options.wait) {
      around.terminal.print(`rolloutaction.serin.dev/${created.metadata.name} created`);
      return EXIT.done;
    }
    return told(await answered(created, options, session, around), created, around);
  });
}

/**
 * The API server writes into `by` who asked, or refuses a name that is not the asker's: nobody can sign for another. Where
 * no policy can fill it in, it has to be there, so it always is.
 */
async function create(
  action: Act,
  name: string,
  options: ActOptions,
  { client, namespace }: Session,
): Promise<RolloutActionObject> {
  const rollout = await client.get<RolloutObject>(rolloutKind, { namespace, name });
  const revision = isAboutOneRevision(action) ? revisionFor(action, rollout, options.revision) : undefined;
  const by = await whoAmI(client);
  const spec = {
    rollout: name,
    action,
    ...(revision === undefined ? {} : { revision }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(by === undefined ? {} : { by }),
  };
  return client.create<RolloutActionObject>(rolloutActionKind, {
    metadata: { generateName: `${name}-${commandOf(action)}-`, namespace },
    spec,
  });
}

/** The user's name as the API server sees it; undefined where it does not say (before Kubernetes 1.28). */
async function whoAmI({ transport }: Session['client']): Promise<string | undefined> {
  try {
    const { status } = await transport.request<{ status?: { userInfo?: { username?: string } } }>({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      action: 'ask the API server who you are',
    });
    return status?.userInfo?.username;
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Forbidden')) return undefined;
    throw error;
  }
}

async function answered(
  created: RolloutActionObject,
  options: ActOptions,
  { client, namespace }: Session,
  { clock }: Surroundings,
): Promise<NonNullable<RolloutActionObject['status']>> {
  const { name } = created.metadata;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const { status } = await client.get<RolloutActionObject>(rolloutActionKind, { namespace, name });
    if (status?.state !== undefined) return status;
    if (clock.monotonicMs() >= deadlineMs)
      throw new CliError(
        `Serin has not answered ${name} within ${Math.round(options.timeoutMs / 1000)}s; it stands and is answered when the operator runs: kubectl get rolloutaction ${name} -n ${namespace} -o yaml`,
        EXIT.timedOut,
      );
    await clock.sleep(pollMs);
  }
}

function told(
  { state, message }: NonNullable<RolloutActionObject['status']>,
  { spec }: RolloutActionObject,
  { terminal }: Surroundings,
): number {
  if (state === 'Accepted') {
    terminal.print(`${commandOf(spec.action)} accepted: ${message}`);
    return EXIT.done;
  }
  terminal.complain(`${commandOf(spec.action)} refused: ${message}`);
  return EXIT.needsPerson;
}
