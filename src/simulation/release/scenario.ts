/**
 * Owns what a scenario file says: traffic, pods, what the new version does wrong, and the release as a Rollout would
 * describe it. It reads text and plays nothing.
 */
import { parse } from 'yaml';
import * as z from 'zod';
import { DURATION_PATTERN, parseDurationMs, parseSpanMs, SPAN_PATTERN } from '../../api/duration.ts';
import type { EffectiveSpec } from '../../api/effective.ts';
import { readSpec } from '../../controller/read-spec.ts';
import type { Slowness } from './durations.ts';

export const noises = ['none', 'incidents', 'clumps', 'spells', 'lemons', 'swing'] as const;
export type Noise = (typeof noises)[number];

export interface Latency {
  readonly medianSeconds: number;
  /** What the new version does, from the onset on. */
  readonly slowness: Slowness;
}

/** A scenario with nothing left open. Rates are fractions of requests. */
export interface Scenario {
  readonly perSecond: number;
  readonly pods: number;
  readonly podStartMs: number;
  readonly scrapeMs: number;
  readonly stableRate: number;
  readonly canaryRate: number;
  /** The new version fails as often as the old one until this long after its first request. */
  readonly onsetMs: number;
  /** Undefined where nobody measures how long requests take. */
  readonly latency: Latency | undefined;
  readonly noise: Noise;
  readonly spec: EffectiveSpec;
  readonly runs: number;
  readonly seed: number;
}

/** The text cannot be used. The message is a sentence without a capital that names the field. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

const duration = z.string().regex(new RegExp(DURATION_PATTERN), 'write a duration like 90s, 10m or 1h30m');
const share = z
  .string()
  .regex(/^[0-9]{1,3}(\.[0-9]{1,6})?%$/, 'write a percentage of the requests in quotes or not, like 0.1%')
  .refine((text) => Number.parseFloat(text) <= 100, 'a percentage of the requests is at most 100%');

const scenarioSchema = z.strictObject({
  traffic: z.strictObject({ perSecond: z.number().positive().max(100_000) }),
  pods: z.int().min(1).max(1000).default(10),
  podStart: duration.default('10s'),
  scrape: duration.default('5s'),
  errors: z.strictObject({ stable: share.default('0.1%'), canary: share, after: duration.default('0s') }),
  latency: z
    .strictObject({
      median: z.string().regex(new RegExp(SPAN_PATTERN), 'write a short span like 80ms or 2s'),
      canary: z
        .string()
        .regex(/^[0-9]{1,3}(\.[0-9]{1,3})?x$/, 'write how many times as long it takes, like 1.5x')
        .refine((text) => Number.parseFloat(text) >= 0.1, 'at least 0.1x')
        .default('1x'),
      share: share.default('100%'),
    })
    .optional(),
  noise: z.enum(noises).default('none'),
  strategy: z.unknown().optional(),
  analysis: z.unknown().optional(),
  runs: z.int().min(1).max(10_000).default(200),
  seed: z.int().min(0).max(999_999_999).default(1),
});

/** @throws ScenarioError when the text is no scenario. */
export function readScenario(text: string): Scenario {
  const written = scenarioSchema.safeParse(yamlIn(text));
  if (!written.success) throw new ScenarioError(firstIssue(written.error));
  const { traffic, pods, podStart, scrape, errors, latency, noise, strategy, analysis, runs, seed } = written.data;
  const spec = specOf(strategy, analysis);
  const isTimed = spec.analysis.metrics.some(({ kind }) => kind === 'latency');
  if (isTimed && latency === undefined)
    throw new ScenarioError(
      'latency: analysis.metrics names it, so say how long requests take, at least latency.median',
    );

  const scrapeMs = parseDurationMs(scrape);
  if (scrapeMs < 1000) throw new ScenarioError('scrape: at least 1s');
  return {
    perSecond: traffic.perSecond,
    pods,
    podStartMs: parseDurationMs(podStart),
    scrapeMs,
    stableRate: Number.parseFloat(errors.stable) / 100,
    canaryRate: Number.parseFloat(errors.canary) / 100,
    onsetMs: parseDurationMs(errors.after),
    latency: latency && {
      medianSeconds: parseSpanMs(latency.median) / 1000,
      slowness: {
        share: Number.parseFloat(latency.share) / 100,
        factor: Number.parseFloat(latency.canary),
        addedSeconds: 0,
      },
    },
    noise,
    spec,
    runs,
    seed,
  };
}

function yamlIn(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ScenarioError(error instanceof Error ? (error.message.split('\n')[0] ?? 'not YAML') : String(error));
  }
}

/** By the same rules and defaults as a Rollout of the cluster; what needs more than requests is refused. */
function specOf(strategy: unknown, analysis: unknown): EffectiveSpec {
  const reading = readSpec({
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'simulated' },
    traffic: { service: 'simulated', routes: [{ kind: 'HTTPRoute', name: 'simulated' }] },
    ...(strategy === undefined ? {} : { strategy }),
    ...(analysis === undefined ? {} : { analysis }),
  });
  if (reading.kind !== 'read') throw new ScenarioError(reading.message.replace(/; correct it.*$/, ''));
  const { spec } = reading;
  const other = spec.analysis.metrics.find(({ kind }) => kind !== 'errors' && kind !== 'latency');
  if (other)
    throw new ScenarioError('analysis.metrics: only errors and latency are simulated; leave out what asks a query');
  if (spec.analysis.source !== undefined)
    throw new ScenarioError('analysis.source: a simulation asks no metric source; leave it out');
  if (spec.strategy.steps.some(({ check }) => check !== undefined))
    throw new ScenarioError('strategy.steps: nobody answers a check in a simulation; leave it out');
  return spec;
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'it has an unknown fault';
  return `${issue.path.length === 0 ? 'the file' : issue.path.join('.')}: ${issue.message}`;
}
