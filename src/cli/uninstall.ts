/**
 * `serin uninstall`: gives every workload back and then takes Serin itself out of the cluster. It strands nothing: what
 * guards and what explains goes only after the last Deployment, Service and route is its owner's again.
 */
import { flagSourceKind, metricSourceKind, releaseRecordKind, rolloutActionKind, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { handOf } from '../controller/by-hand.ts';
import { findTraces, isClean, isPausedByUser, type Traces } from '../controller/traces.ts';
import { deployments, keyOf } from '../kube/resources.ts';
import { findInstallation, type Installation, piecesOf, remove } from './installation.ts';
import {
  type Leaving,
  letGo,
  releaseRecords,
  stopOperators,
  takeOffTheRest,
  untilGone,
  untilUnknown,
} from './leaving.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from './session.ts';
import { confirm, requireRights } from './uninstall-consent.ts';
import { listed, planLines, runningReleases } from './uninstall-plan.ts';

export interface UninstallOptions extends GlobalOptions {
  /** Do not ask. */
  readonly yes: boolean;
  /** Also while releases run: they go back first. */
  readonly force: boolean;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** How long the operator may take to let go. */
  readonly timeoutMs: number;
}

/** What uninstall needs besides what every command is given. */
export interface UninstallSurroundings extends Surroundings {
  /** Puts a question to the person at the terminal; default: on standard error and standard input. */
  readonly ask?: (question: string) => Promise<string>;
}

/**
 * Exit code 0 when nothing of Serin is left (or with `dryRun`), 4 when a release runs or a person is needed, 5 when the
 * operator did not let go in time, 6 when the user may not delete what is to be deleted.
 */
export async function uninstall(options: UninstallOptions, around: UninstallSurroundings): Promise<number> {
  return withSession(around, options, async (session) => {
    const { namespace } = options;
    const traces = await findTraces(session.client, namespace);
    const installation = await findInstallation(session.client, namespace);
    if (isClean(traces) && piecesOf(installation).length === 0) return nothingFound(options, around);
    for (const line of planLines(traces, installation, namespace)) around.terminal.print(line);
    const running = runningReleases(traces);
    if (running.length > 0 && !options.force) return refuse(running, around);
    if (options.dryRun) return EXIT.done;
    await requireRights(session, namespace);
    await confirm(options, around);
    return leave(session, options, around, { traces, installation });
  });
}

function nothingFound({ namespace }: UninstallOptions, { terminal }: Surroundings): number {
  const where = namespace === undefined ? 'this cluster' : `namespace ${namespace}`;
  terminal.print(`Nothing of Serin is in ${where}.`);
  return EXIT.done;
}

function refuse(running: readonly string[], { terminal, programName }: Surroundings): number {
  terminal.complain(`error: a release is running${listed(running)}`);
  terminal.complain(
    `Let it end, or end it with ${programName} abort. --force takes it back first: no version is promoted by it.`,
  );
  return EXIT.needsPerson;
}

const ownKinds = [rolloutKind, rolloutActionKind, releaseRecordKind, metricSourceKind, flagSourceKind];

interface Found {
  readonly traces: Traces;
  readonly installation: Installation;
}

async function leave(
  session: Session,
  { namespace, timeoutMs }: UninstallOptions,
  { terminal, clock }: Surroundings,
  { traces, installation }: Found,
): Promise<number> {
  const say = (line: string): void => terminal.print(line);
  const leaving: Leaving = { hand: handOf(session.client, clock, say), namespace };
  const { client } = leaving.hand;
  await letGo(leaving, traces.rollouts, timeoutMs);
  await stopOperators(leaving, installation.operators);
  const obstacles = await takeOffTheRest(leaving);
  if (obstacles.length > 0) {
    for (const sentence of obstacles) terminal.complain(sentence);
    terminal.complain('The policies and kinds of Serin are still there.');
    return EXIT.needsPerson;
  }
  await remove(client, installation.policies, say);
  await releaseRecords(leaving);
  if (namespace === undefined) {
    await remove(client, installation.definitions, say);
    for (const kind of ownKinds) await untilUnknown(leaving, kind);
  }
  await remove(client, [...installation.roles, ...installation.home], say);
  await untilGone(leaving, installation.home);
  return conclude(leaving, traces, terminal);
}

async function conclude(
  { hand, namespace }: Leaving,
  before: Traces,
  terminal: Surroundings['terminal'],
): Promise<number> {
  const left = await findTraces(hand.client, namespace);
  // Records that are history go with their Rollouts, and in a namespace that stays they may need a moment.
  if (!isClean({ ...left, records: [], rollouts: [] })) {
    terminal.complain(`Something wrote to these while Serin left; run this again: ${describeLeft(left)}`);
    return EXIT.error;
  }
  for (const { metadata } of before.deployments.filter((one) => !isPausedByUser(one))) {
    const live = await hand.client.find<{ spec: { paused?: boolean } }>(deployments, metadata);
    if (live?.spec.paused === true)
      terminal.print(
        `Deployment ${keyOf(metadata)} is paused with a template that was never released. To start it: kubectl rollout resume deployment/${metadata.name} -n ${metadata.namespace ?? ''}`,
      );
  }
  terminal.print(namespace === undefined ? 'Serin is gone.' : `Serin is gone from namespace ${namespace}.`);
  return EXIT.done;
}

function describeLeft({ deployments: marked, pinned, canaryServices, splits, replicaSets }: Traces): string {
  const objects = [...marked, ...pinned, ...canaryServices, ...replicaSets, ...splits.map(({ route }) => route)];
  return objects.map(({ kind, metadata }) => `${kind} ${keyOf(metadata)}`).join(', ');
}
