/**
 * Owns how an effective spec is written down: in the journal of an attempt and in its release record. Both must hold
 * everything that the attempt was begun with, because editing the Rollout changes the next attempt only.
 */
import * as z from 'zod';
import type { EffectiveSpec } from './effective.ts';
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

export const pinnedStrategySchema = z
  .object({
    steps: z
      .array(
        z
          .object({
            weightPercent: z.number().min(0).max(100).describe('Percentage of the requests for the new version.'),
            atLeastMs: milliseconds('The least time that the step lasts, in milliseconds.'),
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

export const pinnedAnalysisSchema = z
  .object({
    source: objectName('The MetricSource that the Rollout names.').optional(),
    confidencePercent: z.number().min(0).max(100).describe('How sure the judge has to be, in percent.'),
    errors: z
      .object({
        tolerate: text(40, 'How much worse is no reason to go back.'),
        ruleOut: text(40, 'How much worse has to be ruled out before a step.'),
      })
      .describe('Tolerances for the share of failed requests.'),
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
  })
  .describe('How it is judged, as it was when the attempt began.');

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
