/** Owns what a user may write in a Rollout; it must never accept a field that nothing obeys. */
import * as z from 'zod';
import { alertsSchema } from './alerts.ts';
import { onAnomalySchema } from './anomaly.ts';
import { checkSchema } from './check-step.ts';
import { flagStepSchema } from './flag-step.ts';
import { metricsSchema } from './metric.ts';
import { distinct, withRules } from './rules.ts';
import { duration, objectName, serviceName } from './text.ts';

const targetRefSchema = withRules(
  z
    .strictObject({
      apiVersion: z.literal('apps/v1').describe('API version of the workload; apps/v1.'),
      kind: z.literal('Deployment').describe('Kind of the workload; Deployment.'),
      name: objectName('Name of the Deployment, in the namespace of the Rollout.'),
    })
    .describe('The Deployment whose new versions are released step by step. It stays an ordinary Deployment.'),
  [
    {
      cel: 'self == oldSelf',
      message:
        'targetRef cannot change: delete this Rollout, which hands the Deployment back, and create one for the other Deployment.',
    },
  ],
);

const routeSchema = z
  .strictObject({
    kind: z.literal('HTTPRoute').describe('Kind of the route; HTTPRoute (gateway.networking.k8s.io).'),
    name: objectName('Name of the route, in the namespace of the Rollout.'),
  })
  .describe('A route that sends requests to the Service.');

const trafficSchema = withRules(
  z
    .strictObject({
      service: serviceName(
        'The Service that callers use and whose selector matches the Deployment. Without it the pods are taken for workers, whose share of the work is their share of the pods.',
      ).optional(),
      routes: distinct(
        z
          .array(routeSchema)
          .min(1)
          .max(8)
          .describe(
            'The routes whose weights are moved. Every rule that names the Service takes part. Without routes the new version gets the share of the requests that it has of the pods: one pod at least, half of them at most.',
          ),
        ['kind', 'name'],
      ).optional(),
      alsoReachable: distinct(
        z
          .array(serviceName('Name of a Service.'))
          .max(8)
          .describe(
            'Other Services on the same pods that may reach the new version at once. All others keep to the old version during a release.',
          ),
      ).optional(),
      settle: duration(
        'How long to wait after the route says that a new weight is in force. Default: by the kind of gateway.',
      ).optional(),
      drain: duration(
        'How long pods stay after their weight went to zero, so that requests under way can end. Default: 15s.',
      ).optional(),
    })
    .describe('Where the requests come from and how they are split.'),
  [
    {
      cel: '!has(self.routes) || has(self.service)',
      message: 'routes need traffic.service, the Service that they send requests to: name it, or leave the routes out.',
      holds: (traffic) => traffic.routes === undefined || traffic.service !== undefined,
    },
    {
      cel: '!has(self.alsoReachable) || !has(self.service) || !(self.service in self.alsoReachable)',
      message:
        'alsoReachable names the Service of traffic.service itself: remove it there, its weights decide who reaches the new version.',
      holds: ({ alsoReachable = [], service }) => service === undefined || !alsoReachable.includes(service),
    },
  ],
);

const weightSchema = withRules(
  z.number().describe('Percentage of the requests that goes to the new version: above 0, at most 100, in hundredths.'),
  [
    {
      // As a rule and not as minimum and maximum: the API server prints such bounds without their decimals.
      cel: 'self >= 0.01 && self <= 100.0',
      message: 'a weight is a percentage of the requests: at least 0.01, at most 100.',
      holds: (weight) => weight >= 0.01 && weight <= 100,
    },
    {
      cel: 'self * 100.0 - double(int(self * 100.0 + 0.5)) < 0.000001 && double(int(self * 100.0 + 0.5)) - self * 100.0 < 0.000001',
      message: 'a weight has at most two decimals: routes are split in hundredths of a percent.',
      holds: (weight) => Math.abs(weight * 100 - Math.round(weight * 100)) < 1e-6,
    },
  ],
);

const stepSchema = withRules(
  z
    .strictObject({
      weight: weightSchema.optional(),
      atLeast: duration(
        'A step with a weight or a flag lasts at least this long, however quickly the judge is sure. Default: 30s.',
      ).optional(),
      check: checkSchema.optional(),
      flag: flagStepSchema.optional(),
    })
    .describe(
      'One rise of the weight, or a check or a change of a flag at the weight of the step before it. After a weight the next step begins when the judge says that the new version is acceptable.',
    ),
  [
    {
      cel: '[has(self.weight), has(self.check), has(self.flag)].exists_one(x, x)',
      message: 'a step is either a weight or a check or a flag: write one of them, and two steps where you want both.',
      holds: ({ weight, check, flag }) => [weight, check, flag].filter((one) => one !== undefined).length === 1,
    },
    {
      cel: '!has(self.atLeast) || !has(self.check)',
      message: 'atLeast belongs to a weight or a flag: a check ends when it has passed.',
      holds: ({ atLeast, check }) => atLeast === undefined || check === undefined,
    },
  ],
);

const stepsSchema = withRules(
  z
    .array(stepSchema)
    .min(1)
    .max(20)
    .describe('Weights, each higher than the one before, and checks and flags between them. Default: 5, 25 and 50.'),
  [
    {
      cel: 'self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && self.filter(s, has(s.weight)).all(s, self.filter(t, has(t.weight)).exists_one(t, t.weight == s.weight))',
      message: 'each step needs a higher weight than the step before it: sort the steps and remove repeated weights.',
      holds: (steps) => {
        const weights = steps.flatMap(({ weight }) => weight ?? []);
        return weights.every((weight, i) => i === 0 || weight > (weights[i - 1] ?? 0));
      },
    },
    {
      cel: 'self.all(s, has(s.check)) || has(self.filter(s, !has(s.check))[0].weight)',
      message:
        'a flag comes after a weight: before the first one no user has met the new version, and nothing can be compared.',
      holds: (steps) => {
        const first = steps.find(({ check }) => check === undefined);
        return first === undefined || first.weight !== undefined;
      },
    },
    {
      cel: 'self.filter(s, has(s.flag)).size() <= 4',
      message: 'at most 4 steps change a flag: leave the others out, or turn them on after the release.',
      holds: (steps) => steps.filter(({ flag }) => flag !== undefined).length <= 4,
    },
  ],
);

const strategySchema = z
  .strictObject({
    steps: stepsSchema.optional(),
    bake: duration(
      'How long the new version serves all requests, with the old pods still warm, before the old ones end. Default: 5m.',
    ).optional(),
    podsReadyWithin: duration(
      'Pods of the new version that are not ready by then end the attempt. Default: 10m.',
    ).optional(),
    allowTwoVersions: z
      .boolean()
      .optional()
      .describe(
        'Says that two versions may serve at the same time. Needed for a Deployment with strategy Recreate. Default: false.',
      ),
  })
  .describe('How quickly requests move to the new version.');

const whenUnsureSchema = z
  .strictObject({
    after: duration('How long a step waits for evidence. Default: 10m.').optional(),
    do: z
      .enum(['proceed', 'hold', 'rollback'])
      .optional()
      .describe(
        'What happens then: proceed to the next step, hold until a person decides, or roll back. Default: proceed.',
      ),
  })
  .describe('What to do when there were too few requests to tell. If the metric source never answered, Serin holds.');

const onSourceDownSchema = z
  .strictObject({
    after: duration('How long the metric source may be silent. Default: 5m.').optional(),
    do: z
      .enum(['hold', 'rollback'])
      .optional()
      .describe(
        'What happens then: hold the weight where it is, or roll back. Silence never raises a weight. Default: hold.',
      ),
  })
  .describe('What to do when the metric source stops answering.');

const confidenceSchema = withRules(
  z
    .number()
    .describe(
      'How sure the judge has to be, in percent: at 99.9 at most 1 in 1000 healthy releases is rolled back. Default: 99.9.',
    ),
  [
    {
      cel: 'self >= 90.0 && self <= 99.999',
      message:
        'confidence lies between 90 and 99.999 percent: certainty takes for ever, and below 90 every tenth release is noise.',
      holds: (confidence) => confidence >= 90 && confidence <= 99.999,
    },
  ],
);

const analysisSchema = withRules(
  z
    .strictObject({
      source: objectName('Name of the MetricSource. Default: the one marked as default, if there is one.').optional(),
      mode: z
        .enum(['enforce', 'observe'])
        .optional()
        .describe(
          'enforce acts on what the judge says. observe judges all the same and acts on none of it: no brake and no way back, only words about what would have been done; steps go on by time. Pods that crash or do not become ready, failed checks and a silent metric source count in both. Default: enforce.',
        ),
      confidence: confidenceSchema.optional(),
      metrics: metricsSchema.optional(),
      whenUnsure: whenUnsureSchema.optional(),
      onSourceDown: onSourceDownSchema.optional(),
      alerts: alertsSchema.optional(),
    })
    .describe('How the new version is judged.'),
  [
    {
      cel: "!has(self.mode) || self.mode != 'observe' || !has(self.whenUnsure) || !has(self.whenUnsure.do) || self.whenUnsure.do == 'proceed'",
      message: 'mode observe goes on by time: remove whenUnsure.do, or write mode: enforce.',
      holds: ({ mode, whenUnsure }) => mode !== 'observe' || (whenUnsure?.do ?? 'proceed') === 'proceed',
    },
    {
      cel: "!has(self.mode) || self.mode != 'observe' || !has(self.onSourceDown) || !has(self.onSourceDown.do) || self.onSourceDown.do == 'hold'",
      message: 'mode observe rolls nothing back: remove onSourceDown.do, or write mode: enforce.',
      holds: ({ mode, onSourceDown }) => mode !== 'observe' || (onSourceDown?.do ?? 'hold') === 'hold',
    },
  ],
);

export const rolloutSpecSchema = withRules(
  z
    .strictObject({
      targetRef: targetRefSchema,
      traffic: trafficSchema.optional(),
      strategy: strategySchema.optional(),
      analysis: analysisSchema.optional(),
      onAnomaly: onAnomalySchema.optional(),
    })
    .describe('How new versions of one Deployment are released.'),
  [
    {
      cel: '!has(self.strategy) || !has(self.strategy.steps) || (has(self.traffic) && has(self.traffic.service)) || self.strategy.steps.all(s, !has(s.check) || has(s.check.port))',
      message: 'without traffic.service a check does not know its port: add check.port.',
      holds: ({ traffic, strategy }) =>
        traffic?.service !== undefined ||
        (strategy?.steps ?? []).every(({ check }) => check === undefined || check.port !== undefined),
    },
  ],
);

export type RolloutSpec = z.infer<typeof rolloutSpecSchema>;
