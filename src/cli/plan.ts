/** `serin plan`: says what a release of a Rollout would do, before it does; it only reads, and needs no cluster for a file. */
import { rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { Observer } from '../controller/observe.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resources.ts';
import { guardShown } from '../release/conditions.ts';
import type { Guard, World } from '../release/world.ts';
// oxlint-disable-next-line no-restricted-imports -- plan looks with the operator's own eyes, which take this; it is not asked here
import { ConvergenceWatch } from '../traffic/convergence.ts';
import type { Finding } from './check/finding.ts';
import { flagFindings } from './check/flag-findings.ts';
import { metricsSeen, type MetricsSeen } from './check/metrics-findings.ts';
import { CliError } from './failure.ts';
import { isRecord, manifestsIn, rolloutAmong } from './manifests.ts';
import { type DataFormat, formatted } from './output.ts';
import { look, type Sight, sourceFor, type SourceSight } from './plan-sight.ts';
import { planLines } from './plan-text.ts';
import { planOf, type ReleasePlan } from './release-plan.ts';
import type { GlobalOptions, Session, Surroundings } from './session.ts';

export interface PlanOptions extends GlobalOptions {
  /** A file with the Rollout, and perhaps with its Deployment, Services and routes; `-` is standard input. */
  readonly filename?: string | undefined;
  readonly output?: DataFormat | undefined;
}

/** Exit code 4 when something stands in the way of a release, 1 when the Rollout itself is not valid. */
export async function plan(name: string | undefined, options: PlanOptions, around: Surroundings): Promise<number> {
  if ((name === undefined) === (options.filename === undefined))
    throw new CliError('give the name of a Rollout or a file with -f, one of the two', EXIT.usage);
  const { session, without } = await opened(options, around);
  try {
    const subject = await subjectOf(name, options, session, around);
    const sight = await seen(subject, session);
    return await show(
      subject,
      { ...sight, notes: [...(without === undefined ? [] : [without]), ...sight.notes] },
      // Who could not list a single kind reaches no source either.
      sight.complete.size === 0 ? undefined : session,
      options,
      around,
    );
  } finally {
    await session?.close();
  }
}

interface Subject {
  readonly rollout: KubeObject;
  readonly given: readonly KubeObject[];
  readonly namespace: string;
}

interface Opened {
  readonly session?: Session;
  readonly without?: string;
}

/** A file can be planned without a cluster; a name cannot. */
async function opened(options: PlanOptions, around: Surroundings): Promise<Opened> {
  try {
    return { session: await around.open(options) };
  } catch (error) {
    if (options.filename === undefined || !isKubeError(error)) throw error;
    return { without: `no cluster was asked (${error.message}): only what the file has in it is known` };
  }
}

async function subjectOf(
  name: string | undefined,
  options: PlanOptions,
  session: Session | undefined,
  around: Surroundings,
): Promise<Subject> {
  const fallback = options.namespace ?? session?.namespace ?? 'default';
  if (options.filename !== undefined) {
    const given = manifestsIn(await around.readText(options.filename), options.filename, fallback);
    const rollout = rolloutAmong(given, options.filename);
    return { rollout, given, namespace: rollout.metadata.namespace ?? fallback };
  }
  if (session === undefined || name === undefined)
    throw new CliError('a Rollout that is named needs a cluster to be read from');
  const rollout = await session.client.get(rolloutKind, { namespace: session.namespace, name });
  return { rollout, given: [], namespace: session.namespace };
}

async function seen({ given, namespace }: Subject, session: Session | undefined): Promise<Sight> {
  try {
    return await look(given, namespace, session);
  } catch (error) {
    if (given.length === 0 || !isKubeError(error, 'Network', 'Timeout', 'Unauthorized')) throw error;
    const sight = await look(given, namespace, undefined);
    return {
      ...sight,
      notes: [`the cluster could not be asked (${error.message}): only what the file has in it is known`],
    };
  }
}

async function show(
  { rollout, namespace }: Subject,
  sight: Sight,
  session: Session | undefined,
  options: PlanOptions,
  around: Surroundings,
): Promise<number> {
  const { terminal, clock } = around;
  const observer = new Observer(sight.stores, {
    guardOf: () => guardIn(rollout),
    rehearsalOf: () => undefined,
    answerOf: () => ({ kind: 'noSource' }),
    alertsOf: () => [],
    flagsOf: () => [],
    eventsOf: () => [],
    checkOf: () => undefined,
    convergence: new ConvergenceWatch(clock),
  });
  const current = sight.stores.rollouts.get(namespace, rollout.metadata.name) ?? rollout;
  const observation = observer.observe(current);
  if (observation.kind === 'unreadable')
    throw new CliError(`Rollout ${namespace}/${rollout.metadata.name} is not valid: ${observation.message}`);
  const planned = planOf(observation.world, {
    services: sight.complete.has('services'),
    routes: sight.complete.has('httproutes'),
    deployments: sight.complete.has('deployments'),
  });
  const source = sourceFor(planned.effective.analysis.source, sight);
  const isRunning = observation.world.memory.journal.attempt !== undefined;
  const { findings, proof } = await measured(observation.world, planned, source, sight, session, around);
  const notProven =
    proof === undefined ? findings.filter(({ mark }) => mark !== 'ok').map(({ message }) => message) : [];
  const flags = await flagsSeen(planned, session, around);
  const whole = { ...planned, source, proof, notProven, flags, isRunning, notes: sight.notes };
  terminal.print(
    options.output === undefined ? planLines(whole, terminal).join('\n') : formatted(whole, options.output),
  );
  const isUsable = !flags.some(({ mark }) => mark === 'fail');
  return planned.refusals.length === 0 && isUsable && !(source.kind === 'named' && source.exists === false)
    ? EXIT.done
    : EXIT.needsPerson;
}

/** Whether the flags that it may change can be changed; without a cluster that is not known. */
async function flagsSeen(
  { effective, namespace }: ReleasePlan,
  session: Session | undefined,
  { clock, random }: Surroundings,
): Promise<readonly Finding[]> {
  if (session === undefined) return [];
  return flagFindings(effective, { client: session.client, clock, random, namespace });
}

/** What the traffic of now can prove; that no source is there is said elsewhere. */
async function measured(
  world: World,
  planned: ReleasePlan,
  source: SourceSight,
  sight: Sight,
  session: Session | undefined,
  { clock }: Surroundings,
): Promise<MetricsSeen> {
  if (session === undefined || source.kind === 'none' || (source.kind === 'named' && source.exists === false))
    return { findings: [] };
  return metricsSeen({
    world,
    plan: planned,
    stores: sight.stores,
    seesSources: sight.complete.has('metricsources'),
    client: session.client,
    clock,
  });
}

/** What the operator found when it last tried; a user's rights do not suffice to try it. */
function guardIn(rollout: KubeObject): Guard {
  const status = rollout['status'];
  const conditions = isRecord(status) && Array.isArray(status['conditions']) ? status['conditions'] : [];
  const guarded: unknown = conditions.find((one: unknown) => isRecord(one) && one['type'] === 'Guarded');
  if (!isRecord(guarded)) return 'unknown';
  return guardShown(typeof guarded['reason'] === 'string' ? guarded['reason'] : undefined);
}
