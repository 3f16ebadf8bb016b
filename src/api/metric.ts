/** Owns what a user may ask to be judged: errors, latency, restarts, two counters of their own, a number with a limit, cost, or a price. */
import * as z from 'zod';
import { withRules } from './rules.ts';
import { labelName, span } from './text.ts';

const toleratePattern = /^([0-9]{1,6}(\.[0-9]{1,6})?%( or [0-9]{1,6}(\.[0-9]{1,6})?pp)?|[0-9]{1,6}(\.[0-9]{1,6})?pp)$/;
const ruleOutPattern =
  /^([1-9][0-9]{0,5}(\.[0-9]{1,6})?x( \+ [0-9]{1,6}(\.[0-9]{1,6})?pp)?|[0-9]{1,6}(\.[0-9]{1,6})?pp)$/;
const percentPattern = /^[1-9][0-9]{0,3}(\.[0-9]{1,6})?%$/;

const tolerate = (what: string) =>
  z
    .string()
    .max(40)
    .regex(toleratePattern)
    .optional()
    .describe(
      `How much worse than the old version is no reason to go back${what}: relative, absolute in percentage points, or whichever of the two is larger. Default: "10% or 0.01pp".`,
    );

const ruleOut = (what: string, standard: string) =>
  z
    .string()
    .max(40)
    .regex(ruleOutPattern)
    .optional()
    .describe(
      `How much worse has to be ruled out before the next step: a multiple of the old version's share of ${what} plus percentage points. Default: "${standard}".`,
    );

const errorsSchema = z
  .strictObject({ tolerate: tolerate(''), ruleOut: ruleOut('failed requests', '2x + 0.2pp') })
  .describe('The share of requests that fail, compared with the old version at the same time.');

const latencySchema = z
  .strictObject({
    threshold: span(
      'A request that takes longer counts as slow, as in 300ms. Default: none is named, and the whole distribution is compared.',
    ).optional(),
    tolerate: z
      .string()
      .max(40)
      .regex(percentPattern)
      .optional()
      .describe('How much slower than the old version is no reason to go back, in percent. Default: "10%".'),
    ruleOut: ruleOut('slow requests', '2x + 1pp'),
  })
  .describe('How long requests take, compared with the old version at the same time.');

const restartsSchema = z
  .strictObject({})
  .describe(
    'How often containers are restarted for the time that pods run, also because they ran out of memory, compared with the old version. From Kubernetes: it needs no metric source. Pods that crash again and again end the attempt also without it.',
  );

const promql = (description: string) => z.string().min(1).max(2048).describe(description);

const querySchema = withRules(
  z
    .strictObject({
      name: labelName('Name of the metric, for sentences.'),
      bad: promql('Selector of the counter of what went wrong, with a label pod, in PromQL.').optional(),
      total: promql('Selector of the counter of all that was tried, in PromQL.').optional(),
      tolerate: tolerate(', with bad and total'),
      ruleOut: ruleOut('bad ones, with bad and total', '2x + 0.2pp'),
      value: promql(
        'An expression that gives one number, looked at every few seconds. It is held against max or min and not against the old version.',
      ).optional(),
      max: z.number().optional().describe('The value may be at most this; more in 3 of 5 looks is harm.'),
      min: z.number().optional().describe('The value may be at least this; less in 3 of 5 looks is harm.'),
    })
    .describe('A metric of your own: two counters that are judged like errors, or a value with a limit.'),
  [
    {
      cel: 'has(self.bad) == has(self.total) && has(self.bad) != has(self.value)',
      message: 'a query has either bad and total, two counters, or value, one number: give one of the two.',
      holds: ({ bad, total, value }) =>
        (bad === undefined) === (total === undefined) && (bad === undefined) !== (value === undefined),
    },
    {
      cel: 'has(self.value) ? has(self.max) != has(self.min) : !has(self.max) && !has(self.min)',
      message: 'a value has one limit: give max or min, and neither of them with bad and total.',
      holds: ({ value, max, min }) =>
        value === undefined ? max === undefined && min === undefined : (max === undefined) !== (min === undefined),
    },
    {
      cel: '!has(self.value) || (!has(self.tolerate) && !has(self.ruleOut))',
      message: 'tolerate and ruleOut compare two versions, and a value has a limit instead: remove them.',
      holds: ({ value, tolerate: tolerated, ruleOut: ruledOut }) =>
        value === undefined || (tolerated === undefined && ruledOut === undefined),
    },
    {
      cel: "!(self.name in ['errors', 'latency', 'restarts', 'cost'])",
      message: 'errors, latency, restarts and cost are the names of other metrics: call this one something else.',
      holds: ({ name }) => !['errors', 'latency', 'restarts', 'cost'].includes(name),
    },
  ],
);

const dearer = {
  tolerate: z
    .string()
    .max(40)
    .regex(percentPattern)
    .optional()
    .describe('How much more than the old version is no reason to stop, in percent. Default: "15%".'),
  maxExtraPerMonth: z
    .number()
    .min(0)
    .max(1e12)
    .optional()
    .describe(
      'Up to this many units of money more in a month, with all of the present traffic, are no reason to stop, however many percent they are. Default: 10.',
    ),
  do: z
    .enum(['hold', 'rollback'])
    .optional()
    .describe('What happens when it costs more than both. Default: hold, which waits for a person.'),
};

const costSchema = z
  .strictObject(dearer)
  .describe(
    'What CPU, memory and GPUs for all of the present traffic cost in a month, on as many pods as the autoscaler would run, compared with the old version.',
  );

const priceSchema = withRules(
  z
    .strictObject({
      name: labelName('Name of what is paid for, for sentences.'),
      counter: promql('Selector of the counter of it, with a label pod, in PromQL.'),
      unitPrice: z.number().min(0).max(1e9).describe('What one count costs, in the currency of the metric source.'),
      ...dearer,
    })
    .describe('Something that you pay for each time and count yourself: tokens, calls to others, bytes.'),
  [
    {
      cel: "!(self.name in ['errors', 'latency', 'restarts', 'cost'])",
      message: 'errors, latency, restarts and cost are the names of other metrics: call this price something else.',
      holds: ({ name }) => !['errors', 'latency', 'restarts', 'cost'].includes(name),
    },
  ],
);

const metricSchema = withRules(
  z
    .strictObject({
      errors: errorsSchema.optional(),
      latency: latencySchema.optional(),
      restarts: restartsSchema.optional(),
      query: querySchema.optional(),
      cost: costSchema.optional(),
      price: priceSchema.optional(),
    })
    .describe('One metric that is judged.'),
  [
    {
      cel: '[has(self.errors), has(self.latency), has(self.restarts), has(self.query), has(self.cost), has(self.price)].exists_one(x, x)',
      message: 'each entry of metrics is one of errors, latency, restarts, query, cost and price: write one of them.',
      holds: ({ errors, latency, restarts, query, cost, price }) =>
        [errors, latency, restarts, query, cost, price].filter((one) => one !== undefined).length === 1,
    },
  ],
);

export type Metric = z.infer<typeof metricSchema>;

export const metricsSchema = withRules(
  z
    .array(metricSchema)
    .min(1)
    .max(8)
    .describe('What is judged, all of it: each has to be acceptable before the next step. Default: errors.'),
  [
    {
      cel: 'self.filter(m, has(m.errors)).size() <= 1 && self.filter(m, has(m.latency)).size() <= 1 && self.filter(m, has(m.restarts)).size() <= 1 && self.filter(m, has(m.cost)).size() <= 1',
      message: 'errors, latency, restarts and cost stand at most once in metrics: remove the second one.',
      holds: (metrics) =>
        metrics.filter(({ errors }) => errors !== undefined).length <= 1 &&
        metrics.filter(({ latency }) => latency !== undefined).length <= 1 &&
        metrics.filter(({ restarts }) => restarts !== undefined).length <= 1 &&
        metrics.filter(({ cost }) => cost !== undefined).length <= 1,
    },
    {
      cel: 'self.all(m, !has(m.query) || self.exists_one(n, has(n.query) && n.query.name == m.query.name)) && self.all(m, !has(m.price) || (self.exists_one(n, has(n.price) && n.price.name == m.price.name) && !self.exists(n, has(n.query) && n.query.name == m.price.name)))',
      message: 'each query and each price has a name of its own: rename one of them.',
      holds: (metrics) => {
        const names = metrics.flatMap(({ query, price }) => query?.name ?? price?.name ?? []);
        return new Set(names).size === names.length;
      },
    },
    {
      cel: 'self.exists(m, has(m.errors) || has(m.latency) || has(m.restarts) || (has(m.query) && has(m.query.bad)))',
      message:
        'a value with a limit, cost and a price do not say whether the new version is worse: add errors, latency, restarts or a query with bad and total.',
      holds: (metrics) =>
        metrics.some(
          ({ errors, latency, restarts, query }) =>
            [errors, latency, restarts].some((one) => one !== undefined) || query?.bad !== undefined,
        ),
    },
  ],
);
