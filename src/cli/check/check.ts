/** `serin check`: looks whether releases would work here, before the first one; it only reads and tries dry runs. */
import { rolloutKind } from '../../api/kinds.ts';
import { EXIT } from '../../api/reasons.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import { Observer } from '../../controller/observe.ts';
import type { Rollout } from '../../controller/stores.ts';
import type { KubeObject } from '../../kube/resources.ts';
import { firstWeight } from '../../release/weights.ts';
import type { World } from '../../release/world.ts';
import { ConvergenceWatch } from '../../traffic/convergence.ts';
import { deploymentNamed } from '../deployment-name.ts';
import { CliError } from '../failure.ts';
import { guessFor } from '../guess.ts';
import { draftOf } from '../init.ts';
import { isRecord, manifestsIn, rolloutAmong } from '../manifests.ts';
import { type DataFormat, formatted } from '../output.ts';
import { look, type Sight } from '../plan-sight.ts';
import { planOf } from '../release-plan.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from '../session.ts';
import { type CheckReport, checkLines } from './check-text.ts';
import { clusterFindings, type Features } from './cluster-findings.ts';
import { type Finding, findingsOf } from './finding.ts';
import { flagFindings } from './flag-findings.ts';
import { metricsSeen } from './metrics-findings.ts';
import { operatorFindings } from './operator-findings.ts';
import type { Proof } from './proof.ts';
import { type Concerned, rightsFindings } from './rights-findings.ts';
import { trafficFindings } from './traffic-findings.ts';
import { triedIfStored } from './trials.ts';
import { workloadFindings } from './workload-findings.ts';

export interface CheckOptions extends GlobalOptions {
  /** A file with the Rollout, and perhaps with its Deployment, Services and routes; `-` is standard input. */
  readonly filename?: string | undefined;
  /** A Deployment without a Rollout: "deployment/checkout". */
  readonly target?: string | undefined;
  readonly output?: DataFormat | undefined;
}

/** Exit code 4 when something stands in the way; what could not be seen does not. */
export async function check(name: string | undefined, options: CheckOptions, around: Surroundings): Promise<number> {
  if ([name, options.filename, options.target].filter((one) => one !== undefined).length > 1)
    throw new CliError(
      'give the name of a Rollout, a file with -f or a Deployment with --target, one of them',
      EXIT.usage,
    );
  return withSession(around, options, async (session) => {
    const report = await reportOf(name, options, session, around);
    const isReady = !report.findings.some(({ mark }) => mark === 'fail');
    around.terminal.print(
      options.output === undefined
        ? checkLines(report, around.terminal).join('\n')
        : formatted({ ...report, ready: isReady }, options.output),
    );
    return isReady ? EXIT.done : EXIT.needsPerson;
  });
}

async function reportOf(
  name: string | undefined,
  options: CheckOptions,
  session: Session,
  around: Surroundings,
): Promise<CheckReport> {
  const { client } = session;
  const { features, findings } = await clusterFindings(client);
  const isWanted = name !== undefined || options.filename !== undefined || options.target !== undefined;
  const subject = isWanted ? await subjectOf(name, options, session, around) : undefined;
  const operator = await operatorFindings(client, subject?.namespace, around.clock.nowMs());
  const examined = subject === undefined ? undefined : await examine(subject, features, session, around);
  const namespace = subject?.namespace ?? session.namespace;
  const rights = await rightsFindings(client, namespace, examined?.concerned);
  return {
    subject: subject?.title,
    findings: [...findings, ...operator, ...(examined?.findings ?? []), ...rights],
    ...(examined?.proof === undefined ? {} : { proof: examined.proof }),
    notSeen: [...(examined?.notes ?? []), ...neverSeen],
  };
}

/** What no client can see, however many rights it has. */
const neverSeen: readonly string[] = [
  'Whether the operator reaches the metric source: a network policy between its pods and the source shows only there.',
  'Whether the gateway really splits requests by weight: its status says that it accepted the route, not what it does.',
  'Autoscalers and disruption budgets are not looked at: a release needs room for a second set of pods ("plan" says how many).',
];

interface Subject {
  readonly title: string;
  readonly rollout: KubeObject;
  readonly given: readonly KubeObject[];
  readonly namespace: string;
}

async function subjectOf(
  name: string | undefined,
  { filename, target }: CheckOptions,
  session: Session,
  around: Surroundings,
): Promise<Subject> {
  const { client, namespace } = session;
  if (filename !== undefined) {
    const given = manifestsIn(await around.readText(filename), filename, namespace);
    const rollout = rolloutAmong(given, filename);
    return subjectWith(rollout, given, `in ${filename}`, rollout.metadata.namespace ?? namespace);
  }
  if (target !== undefined) {
    const guess = await guessFor(deploymentNamed(target), {}, session);
    const draft = draftOf({ ...guess, name: guess.deployment });
    const [rollout] = manifestsIn(JSON.stringify(draft), 'the guess', namespace);
    if (rollout === undefined) throw new CliError(`nothing could be guessed for ${target}`);
    return subjectWith(rollout, [rollout], `as "init" would write it`, namespace);
  }
  if (name === undefined) throw new CliError('no Rollout was named', EXIT.usage);
  return subjectWith(await client.get(rolloutKind, { namespace, name }), [], undefined, namespace);
}

function subjectWith(
  rollout: KubeObject,
  given: readonly KubeObject[],
  how: string | undefined,
  namespace: string,
): Subject {
  const title = `Rollout ${namespace}/${rollout.metadata.name}${how === undefined ? '' : `, ${how}`}`;
  return { title, rollout, given, namespace };
}

interface Examined {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  readonly concerned: Concerned | undefined;
  readonly proof?: Proof | undefined;
}

async function examine(
  { rollout, given, namespace }: Subject,
  features: Features,
  session: Session,
  around: Surroundings,
): Promise<Examined> {
  const { client } = session;
  const sight = await look(given, namespace, session);
  const notes = sight.notes.map((note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`);
  const current = sight.stores.rollouts.get(namespace, rollout.metadata.name) ?? rollout;
  const seen = worldOf(current, sight, undefined, around);
  if (typeof seen === 'string') {
    const { fail } = findingsOf('workload');
    return { findings: [fail(seen, 'InvalidSpec')], notes, concerned: undefined };
  }
  const { spec } = seen;
  const deployment = sight.stores.deployments.get(namespace, spec.target.name);
  const trials = await triedIfStored(client, deployment, firstWeight(spec.strategy.steps));
  const world = { ...seen, rehearsal: trials.rehearsal };
  const plan = planOf(world, {
    services: sight.complete.has('services'),
    routes: sight.complete.has('httproutes'),
    deployments: sight.complete.has('deployments'),
  });
  const { findings: ofMetrics, proof } = await metricsSeen({
    world,
    plan,
    stores: sight.stores,
    seesSources: sight.complete.has('metricsources'),
    client,
    clock: around.clock,
  });
  const findings = [
    ...workloadFindings({ world, plan, status: statusOf(current), trials, features }, around.clock.nowMs()),
    ...trafficFindings(world, plan),
    ...ofMetrics,
    ...(await flagFindings(spec, { client, clock: around.clock, random: around.random, namespace })),
  ];
  const concerned = {
    deployment: spec.target.name,
    services: plan.pinned,
    routes: spec.traffic.routes.map((route) => route.name),
  };
  return { findings, notes, concerned, proof };
}

/** As the operator would see it, but without what only the operator knows; a sentence when the spec cannot be read. */
function worldOf(
  rollout: Rollout,
  { stores }: Sight,
  rehearsal: World['rehearsal'],
  { clock }: Surroundings,
): World | string {
  const observer = new Observer(stores, {
    guardOf: () => 'unknown',
    rehearsalOf: () => rehearsal,
    checkOf: () => undefined,
    answerOf: () => ({ kind: 'noSource' }),
    alertsOf: () => [],
    flagsOf: () => [],
    eventsOf: () => [],
    convergence: new ConvergenceWatch(clock),
  });
  const observation = observer.observe(rollout);
  return observation.kind === 'unreadable' ? observation.message : observation.world;
}

function statusOf(rollout: Rollout): RolloutStatus | undefined {
  return isRecord(rollout.status) ? rollout.status : undefined;
}
