/** Says what the judge would see of this workload: the source, the series, and how fast this traffic can prove anything. */
import { metricSourceOf } from '../../controller/metric-sources.ts';
import { armPods } from '../../controller/arms.ts';
import { gatewayBackendsOf } from '../../controller/judged-as.ts';
import type { MetricSource, Stores } from '../../controller/stores.ts';
import { percentWords, spanWords } from '../../analysis/words.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { World } from '../../release/world.ts';
import { percent } from '../../release/weights.ts';
import { growth, isNewSince } from '../../signals/increments.ts';
import { type KnownPod, type Picture, pictureOf } from '../../signals/picture.ts';
import { appPreset } from '../../signals/presets/app.ts';
import type { Preset } from '../../signals/presets/preset.ts';
import { traefikPreset } from '../../signals/presets/traefik.ts';
import type { Series } from '../../signals/series.ts';
import type { SourceOf } from '../../signals/subject.ts';
import { type Finding, findingsOf } from './finding.ts';
import { proofOf, type Proof, type SeenTraffic } from './proof.ts';
import { readSource } from './source-reading.ts';

const { ok, warn, fail, unknown } = findingsOf('metrics');

const RANGE_MS = 300_000;

export interface MetricsSight {
  readonly world: World;
  readonly stores: Stores;
  /** False: MetricSources could not be listed. */
  readonly seesSources: boolean;
  readonly client: KubeClient;
  readonly clock: Clock;
}

export async function metricsFindings(sight: MetricsSight): Promise<readonly Finding[]> {
  const { world, stores, seesSources } = sight;
  if (!seesSources)
    return [unknown('You may not list MetricSources, so what the judge would read is not known; the operator may.')];
  const sources: readonly MetricSource[] = stores.metricsources.all();
  const reading = metricSourceOf(sources, world.spec.analysis.source);
  switch (reading.kind) {
    case 'none':
      return [
        warn(
          'No MetricSource is marked default and the Rollout names none, so only readiness and restarts would be watched; the platform team creates one.',
        ),
      ];
    case 'missing':
      return [fail(reading.sentence)];
    case 'found':
      return sourceFindings(reading.source, sight);
    default:
      return reading satisfies never;
  }
}

async function sourceFindings(source: SourceOf, sight: MetricsSight): Promise<readonly Finding[]> {
  const pods = podsOf(sight);
  const preset = presetOf(source, sight, pods);
  const name = `MetricSource ${source.name}`;
  if (preset === undefined)
    return [
      unknown(`What ${name} has of these pods was not asked: there is no pod, or no route with a port, to ask for.`),
    ];
  for (const [index, selector] of preset.selectors.entries()) {
    const reading = await readSource({ source, selector, rangeMs: RANGE_MS }, sight);
    if (reading.kind === 'wrong') return [fail(reading.sentence)];
    if (reading.kind === 'unseen')
      return [
        unknown(`${reading.sentence.replace(/\.$/, '')}; that is seen from here, and the operator may see more.`),
      ];
    const { series } = reading.answer;
    const isLast = index === preset.selectors.length - 1;
    if (series.some((one) => preset.place(one.labels).kind === 'requests') || isLast)
      return [ok(`${name} answers (${source.address}).`), ...seriesFindings(series, preset, pods, source, sight.world)];
  }
  return [];
}

/** Pods that run now, all of them taken for the old version. */
function podsOf({ world, stores }: MetricsSight): ReadonlyMap<string, KnownPod> {
  const running = world.replicaSets.filter(({ owner, podsLeft }) => owner === 'deployment' && podsLeft > 0);
  const pods = running.flatMap(({ uid }) => armPods(stores, uid));
  return new Map(pods.map((pod) => [pod.name, { ...pod, arm: 'stable', isLive: true }]));
}

/** As the operator would: the gateway's counters where the source says so, else those of the pods. */
function presetOf(
  source: SourceOf,
  { world, stores }: MetricsSight,
  pods: ReadonlyMap<string, KnownPod>,
): Preset | undefined {
  const { namespace } = world.rollout;
  const { service, routes } = world.spec.traffic;
  if (source.dataPlane === 'traefik' && routes.length > 0) {
    const named = routes.map(({ name }) => stores.httproutes.get(namespace, name));
    const backends = gatewayBackendsOf(
      named.filter((route) => route !== undefined),
      service,
    );
    return backends === undefined ? undefined : traefikPreset({ namespace, ...backends });
  }
  return pods.size === 0 ? undefined : appPreset(namespace, [...pods.keys()].toSorted(), (pod) => pods.get(pod)?.arm);
}

function seriesFindings(
  series: readonly Series[],
  preset: Preset,
  pods: ReadonlyMap<string, KnownPod>,
  source: SourceOf,
  world: World,
): readonly Finding[] {
  const picture = pictureOf(series, preset, pods, undefined);
  const isScraped = series.some(({ labels }) => preset.place(labels).kind === 'heartbeat');
  if (picture.targets.length === 0)
    return [
      isScraped
        ? warn(
            `MetricSource ${source.name} scrapes them, but no request was counted yet (${preset.example}); send one, and look again.`,
          )
        : fail(
            `MetricSource ${source.name} has no series for ${preset.example}: expose these counters, have them scraped with the labels namespace and pod, or correct dataPlane of the MetricSource.`,
          ),
    ];
  const traffic = trafficIn(picture);
  if (traffic === undefined)
    return [unknown(`MetricSource ${source.name} has one sample only of these counters; look again in a minute.`)];
  return trafficFindings(traffic, world);
}

/** What was counted between the first and the last scrape; undefined when there was only one. */
function trafficIn({ targets, intervalMs }: Picture): SeenTraffic | undefined {
  const scrapesMs = targets.flatMap((target) => target.scrapesMs);
  const [sinceMs, untilMs] = [Math.min(...scrapesMs), Math.max(...scrapesMs)];
  if (intervalMs === undefined || untilMs <= sinceMs) return undefined;
  const counted = targets.flatMap(({ counters, scrapesMs: own }) =>
    counters.map(({ samples, isBad }) => ({
      isBad,
      requests: growth(samples, sinceMs, untilMs, (firstMs) => isNewSince(own, firstMs, intervalMs)),
    })),
  );
  const requests = counted.reduce((sum, one) => sum + one.requests, 0);
  const failed = counted.reduce((sum, one) => sum + (one.isBad ? one.requests : 0), 0);
  return {
    requestsPerSecond: (requests * 1000) / (untilMs - sinceMs),
    failedShare: requests === 0 ? 0 : failed / requests,
    windowMs: intervalMs,
  };
}

function trafficFindings(traffic: SeenTraffic, world: World): readonly Finding[] {
  const { requestsPerSecond, failedShare } = traffic;
  if (requestsPerSecond === 0) return [warn(`No request was counted in the last minutes: ${without(world)}.`)];
  const rate =
    requestsPerSecond >= 10 ? requestsPerSecond.toFixed(0) : String(Number(requestsPerSecond.toPrecision(2)));
  return [
    ok(`It counted ${rate} requests a second in the last minutes, ${percentWords(failedShare)} of them failed.`),
    ...proofFindings(proofOf(traffic, world.spec), world),
  ];
}

function proofFindings({ steps, harm }: Proof, world: World): readonly Finding[] {
  const waitSeconds = world.spec.analysis.whenUnsure.afterMs / 1000;
  const shown = steps.map(
    ({ weightPercent, seconds }) =>
      `${percent(weightPercent)} ${seconds === undefined ? 'not' : `in ${spanWords(seconds)}`}`,
  );
  const isProven = steps.every(({ seconds }) => seconds !== undefined);
  const proof = isProven
    ? ok(`This traffic proves each step that nothing is wrong: ${shown.join(', ')}.`)
    : warn(
        `This traffic is too little to prove every step within ${spanWords(waitSeconds)} (analysis.whenUnsure.after): ${shown.join(', ')}; then ${without(world)}. A larger weight or a longer wait helps.`,
      );
  const found =
    harm === undefined
      ? warn('A version that fails every fifth request would not be found out in the first step with this traffic.')
      : ok(
          `A version that fails every fifth request would be rolled back after about ${spanWords(harm.seconds)} in the first step, with ${harm.failedRequests} failed requests or fewer.`,
        );
  return [proof, found];
}

function without({ spec }: World): string {
  const { whenUnsure } = spec.analysis;
  return `a step without evidence ends after ${spanWords(whenUnsure.afterMs / 1000)} with "${whenUnsure.do}"`;
}
