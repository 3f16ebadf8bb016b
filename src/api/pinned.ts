/**
 * Owns how an effective spec is written down: in the journal of an attempt and in its release record. Both must hold
 * everything that the attempt was begun with, because editing the Rollout changes the next attempt only.
 */
import * as z from 'zod';
import {
  builtInDefaults,
  builtInLadder,
  type EffectiveAlert,
  type EffectiveAnalysis,
  type EffectiveMetric,
  type EffectiveRung,
  type EffectiveSpec,
} from './effective.ts';
import { objectName, serviceName, text } from './text.ts';

const milliseconds = (description: string) => z.int().min(0).describe(description);

export const pinnedTrafficSchema = z
  .object({
    service: serviceName('The Service whose requests are split; absent for workers.').optional(),
    routes: z
      .array(
        z
          .object({
            kind: z.literal('HTTPRoute').describe('Kind of the route.'),
            name: objectName('Name of the route.'),
          })
          .describe('One route.'),
      )
      .max(8)
      .readonly()
      .describe('The routes whose weights are moved.'),
    alsoReachable: z
      .array(serviceName('Name of a Service.'))
      .max(8)
      .readonly()
      .describe('Services that may reach the new version at once.'),
    settleMs: milliseconds('Wait after each move of a weight, in milliseconds; absent: by gateway.').optional(),
    drainMs: milliseconds('Wait between weight zero and the end of the pods, in milliseconds.'),
  })
  .describe('Where the requests come from, as it was when the attempt began.');

const pinnedRequestSchema = z
  .object({
    method: z.enum(['GET', 'HEAD', 'POST']).describe('Method of the request.'),
    path: text(512, 'Path and query.'),
    headers: z
      .array(
        z.object({ name: text(64, 'Name of the header.'), value: text(256, 'Its value.') }).describe('One header.'),
      )
      .max(5)
      .readonly()
      .describe('Headers of the request.'),
    status: z.int().optional().describe('The status that is expected; absent: any from 200 to 299.'),
    body: text(256, 'A text that the answer has to contain; absent: anything.').optional(),
    withinMs: milliseconds('The longest time that the answer may take, in milliseconds.'),
  })
  .describe('One request.');

const pinnedCheckSchema = z
  .object({
    requests: z.array(pinnedRequestSchema).max(10).readonly().describe('The requests.'),
    withinMs: milliseconds('How long it is tried again before it counts as failed, in milliseconds.'),
    port: z.int().optional().describe('Port of the pods; absent: the one that the Service sends to.'),
  })
  .describe('A check of the pods, at the weight of the step before it.');

const flagFields = {
  source: objectName('The FlagSource.'),
  name: text(128, 'Name of the flag.'),
  variant: text(64, 'The variant that is served.'),
};

const pinnedFlagSchema = z
  .object({ ...flagFields, percent: z.int().optional().describe('Percentage of the users; absent: all of them.') })
  .describe('A change of a flag, at the weight of the step before it.');

export const pinnedStrategySchema = z
  .object({
    steps: z
      .array(
        z
          .object({
            weightPercent: z.number().min(0).max(100).describe('Percentage of the requests for the new version.'),
            atLeastMs: milliseconds('The least time that the step lasts, in milliseconds.'),
            check: pinnedCheckSchema.optional(),
            flag: pinnedFlagSchema.optional(),
          })
          .describe('One step.'),
      )
      .max(20)
      .readonly()
      .describe('The steps of the attempt.'),
    bakeMs: milliseconds('Time at 100 percent before the old pods end, in milliseconds.'),
    podsReadyWithinMs: milliseconds('Time in which the pods have to become ready, in milliseconds.'),
    allowTwoVersions: z.boolean().describe('Whether the user said that two versions may serve at once.'),
  })
  .describe('How it is released, as it was when the attempt began.');

const pinnedMetricSchema = z
  .object({
    kind: z
      .enum(['errors', 'latency', 'restarts', 'counters', 'threshold', 'cost', 'price'])
      .describe('What kind of metric it is.'),
    name: text(63, 'Name of a query or a price.').optional(),
    tolerate: text(40, 'How much worse is no reason to go back.').optional(),
    ruleOut: text(40, 'How much worse has to be ruled out before a step.').optional(),
    thresholdMs: milliseconds('A request that takes longer is slow, in milliseconds.').optional(),
    bad: text(2048, 'Selector of the counter of what went wrong.').optional(),
    total: text(2048, 'Selector of the counter of all that was tried.').optional(),
    query: text(2048, 'Expression that gives one number.').optional(),
    max: z.number().optional().describe('The most that the number may be.'),
    min: z.number().optional().describe('The least that the number may be.'),
    counter: text(2048, 'Selector of the counter of what has a price.').optional(),
    unitPrice: z.number().optional().describe('What one count of it costs.'),
    maxExtraPerMonth: z.number().optional().describe('Up to so much more in a month is no reason to stop.'),
    do: z.enum(['hold', 'rollback']).optional().describe('What happens when it costs more.'),
  })
  .describe('One metric.');

const pinnedAlertSchema = z
  .object({
    matching: text(2048, 'Label matchers of the alert.'),
    do: z.enum(['hold', 'rollback']).describe('What is done while it fires.'),
    alsoIfBefore: z.boolean().describe('Whether it counts when it fired before the attempt began.'),
  })
  .describe('One alert.');

export const pinnedAnalysisSchema = z
  .object({
    mode: z.enum(['enforce', 'observe']).optional().describe('Whether anything is done about what the judge says.'),
    source: objectName('The MetricSource that the Rollout names.').optional(),
    confidencePercent: z.number().min(0).max(100).describe('How sure the judge has to be, in percent.'),
    metrics: z.array(pinnedMetricSchema).max(8).optional().describe('What is judged.'),
    errors: z
      .object({
        tolerate: text(40, 'How much worse is no reason to go back.'),
        ruleOut: text(40, 'How much worse has to be ruled out before a step.'),
      })
      .optional()
      .describe('Where an older Serin wrote what is judged: tolerances for the share of failed requests.'),
    whenUnsure: z
      .object({
        afterMs: milliseconds('Waiting time in milliseconds.'),
        do: z.enum(['proceed', 'hold', 'rollback']).describe('What happens then.'),
      })
      .describe('What happens when there are too few requests to tell.'),
    onSourceDown: z
      .object({
        afterMs: milliseconds('Waiting time in milliseconds.'),
        do: z.enum(['hold', 'rollback']).describe('What happens then.'),
      })
      .describe('What happens when the metric source is silent.'),
    alerts: z.array(pinnedAlertSchema).max(8).optional().describe('Alerts that count while they fire.'),
  })
  .describe('How it is judged, as it was when the attempt began.')
  .transform(analysisOf);

interface Written extends Omit<EffectiveAnalysis, 'mode' | 'metrics' | 'alerts'> {
  readonly mode?: EffectiveAnalysis['mode'] | undefined;
  readonly metrics?: readonly z.infer<typeof pinnedMetricSchema>[] | undefined;
  readonly errors?: { readonly tolerate: string; readonly ruleOut: string } | undefined;
  readonly alerts?: readonly EffectiveAlert[] | undefined;
}

/** An older Serin wrote no mode and judged nothing but errors; its attempts go on as they began. */
function analysisOf({ mode, metrics, errors, alerts = [], ...analysis }: Written): EffectiveAnalysis {
  const { tolerate, ruleOut } = builtInDefaults;
  const older: EffectiveMetric = { kind: 'errors', tolerate, ruleOut, ...errors };
  return {
    ...analysis,
    mode: mode ?? builtInDefaults.mode,
    metrics: metrics === undefined || metrics.length === 0 ? [older] : metrics.map(metricOf),
    alerts,
  };
}

function metricOf(written: z.infer<typeof pinnedMetricSchema>): EffectiveMetric {
  const { kind, name = '', tolerate = '', ruleOut = '', thresholdMs, bad = '', total = '', query = '' } = written;
  const { max, min } = written;
  const {
    counter = '',
    unitPrice = 0,
    maxExtraPerMonth = builtInDefaults.maxExtraPerMonth,
    do: answer = 'hold',
  } = written;
  switch (kind) {
    case 'errors':
      return { kind, tolerate, ruleOut };
    case 'restarts':
      return { kind };
    case 'latency':
      return { kind, ...(thresholdMs === undefined ? {} : { thresholdMs }), tolerate, ruleOut };
    case 'counters':
      return { kind, name, bad, total, tolerate, ruleOut };
    case 'threshold':
      return { kind, name, query, ...(max === undefined ? {} : { max }), ...(min === undefined ? {} : { min }) };
    case 'cost':
      return { kind, tolerate, maxExtraPerMonth, do: answer };
    case 'price':
      return { kind, name, counter, unitPrice, tolerate, maxExtraPerMonth, do: answer };
    default:
      return kind satisfies never;
  }
}

const pinnedRungSchema = z
  .object({
    kind: z.enum(['flag', 'observe', 'notify', 'hold', 'rollback']).describe('What is done.'),
    source: objectName('The FlagSource.').optional(),
    name: text(128, 'Name of the flag.').optional(),
    variant: text(64, 'The variant that is served.').optional(),
    observeMs: milliseconds('The longest time until the next rung, in milliseconds.').optional(),
    forMs: milliseconds('How long it is looked again, in milliseconds.').optional(),
  })
  .describe('One rung.');

/** An older Serin knew nothing but the way back. */
export const pinnedLadderSchema = z
  .array(pinnedRungSchema)
  .max(6)
  .optional()
  .describe('What is done, one after the other, when the judge says that the new version does harm.')
  .transform(ladderOf);

function ladderOf(written: readonly z.infer<typeof pinnedRungSchema>[] = []): readonly EffectiveRung[] {
  return written.length === 0 ? builtInLadder : written.map(rungOf);
}

function rungOf(written: z.infer<typeof pinnedRungSchema>): EffectiveRung {
  const { kind, source = '', name = '', variant = '', observeMs = 0, forMs = 0 } = written;
  if (kind === 'flag') return { kind, source, name, variant, observeMs };
  return kind === 'observe' ? { kind, forMs } : { kind };
}

export const pinnedSpecSchema = z
  .object({
    target: z
      .object({
        apiVersion: z.literal('apps/v1').describe('API version of the workload.'),
        kind: z.literal('Deployment').describe('Kind of the workload.'),
        name: objectName('Name of the workload.'),
      })
      .describe('The workload.'),
    traffic: pinnedTrafficSchema,
    strategy: pinnedStrategySchema,
    analysis: pinnedAnalysisSchema,
    onAnomaly: pinnedLadderSchema,
  })
  .describe('The effective spec as it was when the attempt began.');

/** A field that the effective spec has and this does not would be lost by a restart: the compiler says so here. */
type Pinned = z.infer<typeof pinnedSpecSchema>;
type IsExact = [EffectiveSpec, Pinned] extends [Pinned, EffectiveSpec]
  ? keyof EffectiveSpec['traffic'] extends keyof Pinned['traffic']
    ? true
    : false
  : false;
true satisfies IsExact;
