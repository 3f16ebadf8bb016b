/** Owns what a user may write in a Rollout; it must never accept a field that nothing obeys. */
import * as z from 'zod';
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

const stepSchema = z
  .strictObject({
    weight: weightSchema,
    atLeast: duration('The step lasts at least this long, however quickly the judge is sure. Default: 30s.').optional(),
  })
  .describe('One rise of the weight. The next step begins when the judge says that the new version is acceptable.');

const stepsSchema = withRules(
  z.array(stepSchema).min(1).max(20).describe('The weights, each higher than the one before. Default: 5, 25 and 50.'),
  [
    {
      cel: 'self.map(s, s.weight).isSorted() && self.all(s, self.exists_one(t, t.weight == s.weight))',
      message: 'each step needs a higher weight than the step before it: sort the steps and remove repeated weights.',
      holds: (steps) => steps.every((step, i) => i === 0 || step.weight > (steps[i - 1]?.weight ?? 0)),
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

const toleratePattern = /^([0-9]{1,6}(\.[0-9]{1,6})?%( or [0-9]{1,6}(\.[0-9]{1,6})?pp)?|[0-9]{1,6}(\.[0-9]{1,6})?pp)$/;
const ruleOutPattern =
  /^([1-9][0-9]{0,5}(\.[0-9]{1,6})?x( \+ [0-9]{1,6}(\.[0-9]{1,6})?pp)?|[0-9]{1,6}(\.[0-9]{1,6})?pp)$/;

const errorsSchema = z
  .strictObject({
    tolerate: z
      .string()
      .max(40)
      .regex(toleratePattern)
      .optional()
      .describe(
        'How much worse than the old version is no reason to go back: relative, absolute in percentage points, or whichever of the two is larger. Default: "10% or 0.01pp".',
      ),
    ruleOut: z
      .string()
      .max(40)
      .regex(ruleOutPattern)
      .optional()
      .describe(
        'How much worse has to be ruled out before the next step: a multiple of the old version\'s share of failed requests plus percentage points. Default: "2x + 0.2pp".',
      ),
  })
  .describe('The share of requests that fail, compared with the old version at the same time.');

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

const analysisSchema = z
  .strictObject({
    source: objectName('Name of the MetricSource. Default: the one marked as default, if there is one.').optional(),
    confidence: confidenceSchema.optional(),
    metrics: z
      .array(z.strictObject({ errors: errorsSchema }).describe('One metric that is judged.'))
      .min(1)
      .max(1)
      .optional()
      .describe('What is judged. Default: errors.'),
    whenUnsure: whenUnsureSchema.optional(),
    onSourceDown: onSourceDownSchema.optional(),
  })
  .describe('How the new version is judged.');

export const rolloutSpecSchema = z
  .strictObject({
    targetRef: targetRefSchema,
    traffic: trafficSchema.optional(),
    strategy: strategySchema.optional(),
    analysis: analysisSchema.optional(),
  })
  .describe('How new versions of one Deployment are released.');

export type RolloutSpec = z.infer<typeof rolloutSpecSchema>;
