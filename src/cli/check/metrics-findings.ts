/** Says what the judge would see of this workload: the source, the series, and how fast this traffic can prove anything. */
import { metricSourceOf } from '../../controller/metric-sources.ts';
import { armPods } from '../../controller/arms.ts';
import { gatewayBackendsOf, judgeSettingsOf } from '../../controller/judged-as.ts';
import type { MetricSource, Stores } from '../../controller/stores.ts';
import { percentWords, spanWords } from '../../analysis/words.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { World } from '../../release/world.ts';
import { percent } from '../../release/weights.ts';
import { type KnownPod, pictureOf } from '../../signals/picture.ts';
import type { Preset } from '../../signals/presets/preset.ts';
import { type ReadAs, isActive, readsOf } from '../../signals/reader-presets.ts';
import type { Series } from '../../signals/series.ts';
import type { SourceOf } from '../../signals/subject.ts';
import type { ReleasePlan } from '../release-plan.ts';
import { spanOf } from '../table.ts';
import { type Finding, findingsOf } from './finding.ts';
import { proofOf, type Proof, type SeenTraffic } from './proof.ts';
import { pastErrors } from './past-errors.ts';
import { futility, isWithin, lastWords, trafficWords } from './proof-text.ts';
import { trafficIn } from './seen-traffic.ts';
import { learnedWords } from '../explanation-calibration.ts';
import type { Learned } from '../../signals/learned.ts';
import { defaultSettings } from '../../analysis/settings.ts';
import { readSource } from './source-reading.ts';

const { ok, warn, fail, unknown } = findingsOf('metrics');

const RANGE_MS = 600_000;

export interface MetricsSight {
  readonly world: World;
  readonly plan: ReleasePlan;
  readonly stores: Stores;
  /** False: MetricSources could not be listed. */
  readonly seesSources: boolean;
  readonly client: KubeClient;
  readonly clock: Clock;
}

export interface MetricsSeen {
  readonly findings: readonly Finding[];
  /** Undefined where no traffic was seen, or none that proves anything. */
  readonly proof?: Proof | undefined;
}

export async function metricsSeen(sight: MetricsSight): Promise<MetricsSeen> {
  const { world, stores, seesSources } = sight;
  if (!seesSources)
    return only(
      unknown('You may not list MetricSources, so what the judge would read is not known; the operator may.'),
    );
  const sources: readonly MetricSource[] = stores.metricsources.all();
  const reading = metricSourceOf(sources, world.spec.analysis.source);
  switch (reading.kind) {
    case 'none':
      return only(
        warn(
          'No MetricSource is marked default and the Rollout names none, so only readiness and restarts would be watched; the platform team creates one.',
        ),
      );
    case 'missing':
      return only(fail(reading.sentence));
    case 'found':
      if (reading.demands.secretRefs.length > 0 || reading.demands.caBundle !== undefined)
        return only(
          unknown(
            `MetricSource ${reading.source.name} is read with a credential or an authority of its own, which the operator has and this command does not; during a release, serin explain shows what it counts.`,
          ),
        );
      return sourceSeen(reading.source, sight);
    default:
      return reading satisfies never;
  }
}

function only(finding: Finding): MetricsSeen {
  return { findings: [finding] };
}

async function sourceSeen(source: SourceOf, sight: MetricsSight): Promise<MetricsSeen> {
  const pods = podsOf(sight);
  const preset = presetOf(source, sight, pods);
  const name = `MetricSource ${source.name}`;
  if (preset === undefined)
    return only(
      unknown(`What ${name} has of these pods was not asked: there is no pod, or no route with a port, to ask for.`),
    );
  for (const [index, selector] of preset.selectors.entries()) {
    const reading = await readSource({ source, selector, rangeMs: RANGE_MS }, sight);
    if (reading.kind === 'wrong') return only(fail(reading.sentence));
    if (reading.kind === 'unseen')
      return only(
        unknown(`${reading.sentence.replace(/\.$/, '')}; that is seen from here, and the operator may see more.`),
      );
    const { series } = reading.answer;
    const isLast = index === preset.selectors.length - 1;
    if (series.some((one) => preset.place(one.labels).kind === 'requests') || isLast) {
      const untilMs = reading.answer.serverTimeMs ?? sight.clock.nowMs();
      const asked = { source, readAs: readAsOf(source, sight), pods, untilMs, canaryPods: 1 };
      const past = () => pastErrors(asked, sight);
      const { findings, proof } = await seriesSeen(series, preset, pods, source, sight, past);
      return { findings: [ok(`${name} answers (${source.address}).`), ...findings], proof };
    }
  }
  return { findings: [] };
}

/** Pods that run now, all of them taken for the old version. */
function podsOf({ world, stores }: MetricsSight): ReadonlyMap<string, KnownPod> {
  const running = world.replicaSets.filter(({ owner, podsLeft }) => owner === 'deployment' && podsLeft > 0);
  const pods = running.flatMap(({ uid }) => armPods(stores, world.rollout.namespace, uid));
  return new Map(pods.map((pod) => [pod.name, { ...pod, arm: 'stable', isLive: true }]));
}

/** As the operator would: what is in front of the pods where the source says so, else what they count themselves. */
function presetOf(source: SourceOf, sight: MetricsSight, pods: ReadonlyMap<string, KnownPod>): Preset | undefined {
  const readAs = readAsOf(source, sight);
  const isByGateway = source.dataPlane === 'traefik' && sight.world.spec.traffic.routes.length > 0;
  if (isByGateway ? readAs.gateway === undefined : pods.size === 0) return undefined;
  const reads = readsOf(isActive('gateway', readAs) ? 'gateway' : 'app', readAs, pods);
  return reads.kind === 'preset' ? reads.preset : undefined;
}

function readAsOf(source: SourceOf, { world, stores }: MetricsSight): ReadAs {
  const { namespace } = world.rollout;
  const { service, routes } = world.spec.traffic;
  const named = routes.map(({ name }) => stores.httproutes.get(namespace, name));
  const gateway = gatewayBackendsOf(
    named.filter((route) => route !== undefined),
    service,
  );
  return { namespace, source, settings: judgeSettingsOf(world.spec), ...(gateway ? { gateway } : {}) };
}

async function seriesSeen(
  series: readonly Series[],
  preset: Preset,
  pods: ReadonlyMap<string, KnownPod>,
  source: SourceOf,
  { plan }: MetricsSight,
  past: () => Promise<Learned>,
): Promise<MetricsSeen> {
  const picture = pictureOf(series, preset, pods, undefined);
  const isScraped = series.some(({ labels }) => preset.place(labels).kind === 'heartbeat');
  if (picture.targets.length === 0)
    return only(
      isScraped
        ? warn(
            `MetricSource ${source.name} scrapes them, but no request was counted yet (${preset.example}); send one, and look again.`,
          )
        : fail(
            `MetricSource ${source.name} has no series for ${preset.example}: expose these counters, have them scraped with the labels namespace and pod, or correct dataPlane of the MetricSource.`,
          ),
    );
  const traffic = trafficIn(picture);
  if (traffic === undefined)
    return only(unknown(`MetricSource ${source.name} has one sample only of these counters; look again in a minute.`));
  return trafficSeen(traffic, plan, past);
}

async function trafficSeen(
  traffic: SeenTraffic,
  plan: ReleasePlan,
  past: () => Promise<Learned>,
): Promise<MetricsSeen> {
  if (traffic.requests === 0)
    return only(
      warn(`No request was counted in the last ${lastWords(traffic.seenMs)}, which proves nothing: ${without(plan)}.`),
    );
  const counted = ok(`It counted ${trafficWords(traffic)}.`);
  const learned = await past();
  const proof = proofOf(traffic, plan, learned);
  if (proof === undefined)
    return {
      findings: [
        counted,
        unknown('Errors are not judged here, and of nothing else can be told how fast it is proven.'),
      ],
    };
  return { findings: [counted, ...pastFindings(learned), ...proofFindings(proof, plan)], proof };
}

/** What nothing is known of goes without saying: then the usual is supposed. */
function pastFindings({ calibrations }: Learned): readonly Finding[] {
  return calibrations.map((one) => ok(`It remembers that ${learnedWords(one, defaultSettings.clumping)}.`));
}

function proofFindings(proof: Proof, plan: ReleasePlan): readonly Finding[] {
  const { whenUnsure } = plan.effective.analysis;
  const { steps } = proof;
  const shown = steps.map(
    ({ weightPercent, acceptSeconds }) =>
      `${percent(weightPercent)} ${acceptSeconds === undefined ? 'not' : `in ${spanWords(acceptSeconds)}`}`,
  );
  const isProven = steps.every(({ acceptSeconds }) => isWithin(acceptSeconds, whenUnsure));
  return [
    isProven
      ? ok(`This traffic proves each step that nothing is wrong: ${shown.join(', ')}.`)
      : warn(
          `This traffic is too little to prove every step within ${spanOf(whenUnsure.afterMs)} (analysis.whenUnsure.after): ${shown.join(', ')}; then ${without(plan)}.`,
        ),
    ...futility(proof).map((sentence) => warn(sentence)),
    ...harmFinding(proof, plan),
  ];
}

/** The worst of the versions that are foretold, at the first weight: what is not found there was not meant to be. */
function harmFinding({ steps: [first] }: Proof, { effective }: ReleasePlan): readonly Finding[] {
  const worst = first?.worse.at(-1);
  if (first === undefined || worst === undefined) return [];
  const version = `A version that fails ${percentWords(worst.failedShare)} of its requests`;
  const { brakeSeconds, rollbackSeconds, failedRequests } = worst;
  if (brakeSeconds === undefined || !isWithin(brakeSeconds, effective.analysis.whenUnsure))
    return [warn(`${version} would not be found out in the first step with this traffic.`)];
  const after =
    rollbackSeconds === undefined
      ? 'and not be rolled back within a day'
      : `and rolled back after about ${spanWords(rollbackSeconds)}, with about ${failedRequests} failed requests`;
  return [ok(`${version} would be braked after about ${spanWords(brakeSeconds)} in the first step, ${after}.`)];
}

function without({ effective }: ReleasePlan): string {
  const { whenUnsure } = effective.analysis;
  return `a step without evidence ends after ${spanOf(whenUnsure.afterMs)} with "${whenUnsure.do}"`;
}
