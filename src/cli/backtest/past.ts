/**
 * Asks a metric source what it remembers of the releases of one Deployment: which there were, and what was counted around
 * each. Every question is bounded, and what cannot be answered is a sentence; it decides nothing.
 */
import type { Window } from '../../analysis/engine.ts';
import { noCounts } from '../../analysis/errors.ts';
import type { JudgeSettings } from '../../analysis/settings.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { growth, isNewSince } from '../../signals/increments.ts';
import { type KnownPod, type Picture, pictureOf } from '../../signals/picture.ts';
import type { Arm, Preset } from '../../signals/presets/preset.ts';
import { type PastSpan, pastSamples, pastValues } from '../../signals/prometheus.ts';
import { isOfSidecars, readsOf } from '../../signals/reader-presets.ts';
import { type Series, tidy, timesIn } from '../../signals/series.ts';
import type { SourceOf } from '../../signals/subject.ts';
import { cutWindows, openLedger } from '../../signals/windows.ts';
import { askSource } from '../check/source-reading.ts';
import { CliError } from '../failure.ts';
import { type PastRelease, podPattern, podsQuery, presenceQuery, releasesIn } from './releases.ts';
import type { PastWindows } from './replay.ts';

export interface PastParts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly source: SourceOf;
  readonly namespace: string;
  readonly deployment: string;
  readonly settings: JudgeSettings;
}

const DAY_MS = 86_400_000;
const STEP_MS = 60_000;
/** What the old revision did before the release: what the new one is held against after the old one is gone. */
export const BEFORE_MS = 900_000;
/** So that no single answer is larger than a server or this program can bear. */
const PIECE_MS = 600_000;
const MOST_PODS = 200;

/** Oldest first. `said` is told how far it has come. Throws a CliError when the source does not answer. */
export async function pastReleases(
  parts: PastParts,
  { fromMs, untilMs }: PastSpan,
  said: (doneMs: number) => void,
): Promise<readonly PastRelease[]> {
  const query = presenceQuery(parts.namespace, parts.deployment, STEP_MS);
  const found = new Map<string, Series>();
  for (let startMs = fromMs; startMs < untilMs; startMs += DAY_MS) {
    const span = { fromMs: startMs, untilMs: Math.min(untilMs, startMs + DAY_MS - STEP_MS), stepMs: STEP_MS };
    for (const series of await valuesOf(parts, query, span)) join(found, series.labels['revision'] ?? '', series);
    said(span.untilMs - fromMs);
  }
  return releasesIn([...found.values()], STEP_MS, untilMs);
}

/** Undefined when nothing was counted of the pods of that time. */
export async function pastWindows(
  parts: PastParts,
  release: PastRelease,
  { lookMs, nowMs }: { readonly lookMs: number; readonly nowMs: number },
): Promise<PastWindows | undefined> {
  const span = {
    fromMs: release.atMs - BEFORE_MS,
    untilMs: Math.min(release.atMs + lookMs, nowMs, release.endedAtMs ?? Infinity),
  };
  const pods = await podsOf(parts, release, span);
  const arms = armsOf(parts.deployment, release);
  const { namespace, source, settings } = parts;
  const reader = isOfSidecars(source) ? 'gateway' : 'app';
  const known = new Map(pods.map((name) => [name, pod(name, arms(name), 0)]));
  const reads = readsOf(reader, { namespace, source, settings, queries: [] }, known);
  if (reads.kind !== 'preset' || pods.length === 0) return undefined;
  const series = await seriesOf(parts, reads.preset, span);
  const born = new Map(pods.map((name) => [name, pod(name, arms(name), startOf(name, series, span.fromMs))]));
  const picture = pictureOf(series, reads.preset, born, undefined);
  const { windows } = cutWindows(openLedger(release.atMs), {
    targets: picture.targets,
    intervalMs: picture.intervalMs,
    fromMs: span.fromMs,
    // Long after all of it, so that nothing is waited for.
    nowMs: span.untilMs + DAY_MS,
    needsStable: false,
    pods: [...born.values()],
  });
  if (windows.length === 0) return undefined;
  return { reader, windows: [windowBefore(picture, { fromMs: span.fromMs, untilMs: release.atMs }), ...windows] };
}

/** All that the old revision did before the release: no evidence, and yet what the new one is held against later. */
function windowBefore({ targets, intervalMs = STEP_MS }: Picture, { fromMs, untilMs }: PastSpan): Window {
  const [requests, errors] = targets
    .filter(({ arm }) => arm === 'stable')
    .flatMap(({ counters, scrapesMs }) =>
      counters.map(({ samples, isBad, counts }) => {
        const grown = growth(samples, fromMs, untilMs, (firstMs) => isNewSince(scrapesMs, firstMs, intervalMs));
        return [counts === 'requests' ? grown : 0, isBad ? grown : 0] as const;
      }),
    )
    .reduce(([all, bad], [more, moreBad]) => [all + more, bad + moreBad] as const, [0, 0] as const);
  const lengthMs = untilMs - fromMs;
  return {
    startMs: fromMs,
    endMs: untilMs,
    lengthMs,
    canary: noCounts,
    stable: { requests, errors },
    canaryGroups: [],
  };
}

function pod(name: string, arm: Arm, startedAtMs: number): KnownPod {
  return { name, arm, startedAtMs, isLive: true };
}

function armsOf(deployment: string, { to }: PastRelease): (name: string) => Arm {
  const pattern = new RegExp(`^${podPattern(deployment)}$`);
  return (name) => (pattern.exec(name)?.[1] === to ? 'canary' : 'stable');
}

/** Nobody remembers when a container started; between two scrapes is close enough, and a pod from before counts from now on. */
function startOf(name: string, all: readonly Series[], fromMs: number): number {
  const times = all.filter(({ labels }) => labels['pod'] === name).flatMap((series) => timesIn(series));
  const firstMs = times.reduce((least, atMs) => Math.min(least, atMs), Infinity);
  return firstMs < fromMs + STEP_MS || firstMs === Infinity ? 0 : firstMs - 1;
}

async function podsOf(
  parts: PastParts,
  { from, to }: PastRelease,
  { fromMs, untilMs }: PastSpan,
): Promise<readonly string[]> {
  const query = podsQuery(parts.namespace, parts.deployment, [from, to], untilMs - fromMs);
  const found = await valuesOf(parts, query, { fromMs: untilMs, untilMs, stepMs: STEP_MS });
  const names = found.flatMap(({ labels }) => labels['pod'] ?? []).toSorted();
  if (names.length <= MOST_PODS) return names;
  // Of a large fleet a part says as much: every second, third, … pod of both revisions.
  const nth = Math.ceil(names.length / MOST_PODS);
  return names.filter((_, index) => index % nth === 0);
}

async function seriesOf(parts: PastParts, preset: Preset, { fromMs, untilMs }: PastSpan): Promise<readonly Series[]> {
  for (const selector of preset.selectors) {
    const found = new Map<string, Series>();
    for (let startMs = fromMs; startMs < untilMs; startMs += PIECE_MS) {
      const piece = { fromMs: startMs, untilMs: Math.min(untilMs, startMs + PIECE_MS) };
      const series = await answered(parts, (options, signal) =>
        pastSamples(parts.source, selector, piece, options, signal),
      );
      for (const one of series) join(found, labelsOf(one), one);
    }
    const all = tidy([...found.values()]);
    if (all.some(({ labels }) => preset.place(labels).kind === 'requests')) return all;
  }
  return [];
}

function labelsOf({ labels }: Series): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function join(found: Map<string, Series>, key: string, series: Series): void {
  const before = found.get(key);
  if (before === undefined) found.set(key, series);
  else
    found.set(key, {
      ...before,
      samples: [...before.samples, ...series.samples],
      ...(before.histograms || series.histograms
        ? { histograms: [...(before.histograms ?? []), ...(series.histograms ?? [])] }
        : {}),
    });
}

function valuesOf(parts: PastParts, query: string, span: Parameters<typeof pastValues>[2]): Promise<readonly Series[]> {
  return answered(parts, (options, signal) => pastValues(parts.source, query, span, options, signal));
}

type Asked = ReturnType<typeof pastValues>;
type Options = Parameters<typeof pastValues>[3];

async function answered(
  { client, clock, source }: PastParts,
  ask: (options: Options, signal: AbortSignal) => Asked,
): Promise<readonly Series[]> {
  const { signal } = new AbortController();
  const reading = await askSource(source, (options) => ask(options, signal), { client, clock });
  if (reading.kind === 'answered') return reading.answer.series;
  throw new CliError(reading.sentence.replace(/\.$/, ''));
}
