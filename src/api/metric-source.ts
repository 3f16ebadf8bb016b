/** Owns where Serin may read metrics from: written by the platform team, because it makes the operator call an address. */
import * as z from 'zod';
import { header } from './header.ts';
import { distinct, withRules } from './rules.ts';
import { duration, objectName, serviceName, trustedAuthorities } from './text.ts';

// No user information, query or fragment: a credential in an address ends up in logs and in `kubectl get`.
export const address =
  /^https?:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[-A-Za-z0-9._~/]*)?$/;

export const secretRefSchema = z
  .strictObject({
    namespace: serviceName(
      'Namespace of the Secret: the one that the operator runs in, for it may read Secrets nowhere else.',
    ),
    name: objectName('Name of the Secret.'),
  })
  .describe('The Secret with the credential: key token (sent as a bearer token), or keys username and password.');

const authSchema = z
  .strictObject({ secretRef: secretRefSchema })
  .describe('How the operator proves who it is. Read again every minute, so that it may be rotated.');

/** What belongs to the request itself, or holds a credential and so belongs into a Secret. */
export const keptHeaders = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const headerSchema = header({
  name: /^[A-Za-z0-9][-A-Za-z0-9_.]*$/,
  longestName: 128,
  longestValue: 1024,
  value: 'Its value, for everybody to see who may read MetricSources: no credentials.',
  description: 'One header.',
  kept: keptHeaders,
  message:
    'this header is not for a MetricSource to set: a credential goes into the Secret of auth, the others belong to the request.',
});

export const authoritiesNeedTls = {
  cel: "!has(self.caBundle) || self.address.startsWith('https://')",
  message: 'caBundle needs an address with https://, without TLS there is no certificate to check.',
  holds: (spec: { readonly caBundle?: string | undefined; readonly address: string }) =>
    spec.caBundle === undefined || spec.address.startsWith('https://'),
};

const prometheusSchema = withRules(
  z
    .strictObject({
      address: z
        .string()
        .min(1)
        .max(1024)
        .regex(address)
        .describe(
          'Base URL of the Prometheus API, http or https, with a path if it lives under one; /api/v1 is added. Without user name, password or query.',
        ),
      timeout: duration('How long one query may take. Default: 5s.').optional(),
      auth: authSchema.optional(),
      caBundle: trustedAuthorities(),
      headers: distinct(
        z
          .array(headerSchema)
          .max(16)
          .describe('Headers that are sent with each query, such as the tenant of a shared server.'),
        ['name'],
      ).optional(),
    })
    .describe('A server that answers the Prometheus query API.'),
  [authoritiesNeedTls],
);

const labelText = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const requirementSchema = withRules(
  z
    .strictObject({
      key: z.string().min(1).max(317).regex(labelKey).describe('The label.'),
      operator: z
        .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
        .describe('In and NotIn compare with values, Exists and DoesNotExist ask for the label alone.'),
      values: z
        .array(z.string().max(63).regex(labelText).describe('A value.'))
        .max(64)
        .optional()
        .describe('The values of In and NotIn.'),
    })
    .describe('One condition on the labels.'),
  [
    {
      cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
      message: 'In and NotIn need values; Exists and DoesNotExist have none.',
      holds: ({ operator, values = [] }) => ['In', 'NotIn'].includes(operator) === values.length > 0,
    },
  ],
);

export const namespacesSchema = z
  .strictObject({
    matchLabels: z
      .record(z.string().max(317), z.string().max(63).regex(labelText).describe('The value of the label.'))
      .meta({ maxProperties: 16 })
      .optional()
      .describe('Labels that the namespace has to have. Every namespace has kubernetes.io/metadata.name.'),
    matchExpressions: z.array(requirementSchema).max(16).optional().describe('Further conditions on its labels.'),
  })
  .describe('Which namespaces may use this source: those of Rollouts whose labels match. Default: every namespace.');

const confineSchema = z
  .strictObject({
    namespaceLabel: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .describe(
        'Name of the label that says to which namespace a series belongs. Every query of a Rollout gets a matcher for it with the namespace of the Rollout; a query that asks for another is refused.',
      ),
  })
  .describe('Keeps the queries that Rollouts bring to the series of their own namespace. Default: they may read all.');

const scrapeSchema = z
  .strictObject({
    interval: duration('How often, from 1s to 15s.'),
  })
  .describe(
    "Also reads the pods' own metrics endpoint during a release: at most 100 pods of the new version and 20 of the old one, so that a verdict does not wait for the scrape interval of the server. The endpoint is what the annotations prometheus.io/port, path and scheme say, else the port named metrics, else the target port of the Service.",
  );

const hourly = (what: string, standard: number) =>
  z.number().min(0).max(1e6).optional().describe(`What ${what} costs in an hour. Default: ${standard}.`);

const pricesSchema = z
  .strictObject({
    cpuHour: hourly('one CPU', 0.031611),
    memoryGibHour: hourly('one GiB of memory', 0.004237),
    gpuHour: hourly('one GPU', 0.95),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .max(3)
      .optional()
      .describe('What all prices are in, as three letters. Default: USD.'),
  })
  .describe(
    'What resources cost, for Rollouts that judge cost: used where OpenCost shows no prices of nodes. Default: what OpenCost takes where no cloud tells it prices.',
  );

export const metricSourceSpecSchema = z
  .strictObject({
    prometheus: prometheusSchema,
    default: z.boolean().optional().describe('Rollouts that name no source use this one. Default: false.'),
    namespaces: namespacesSchema.optional(),
    confine: confineSchema.optional(),
    scrape: scrapeSchema.optional(),
    prices: pricesSchema.optional(),
    dataPlane: z
      .enum(['traefik', 'istio', 'linkerd', 'app'])
      .optional()
      .describe(
        "Whose request counters are read: traefik for the gateway's own, istio and linkerd for those of the pods' sidecars, app for those that the pods expose; with the first three also those that the pods expose. Default: app.",
      ),
  })
  .describe('A metric source that Rollouts may use.');

export type MetricSourceSpec = z.infer<typeof metricSourceSpecSchema>;

/** What holds where a MetricSource says nothing. */
export const metricSourceDefaults = { timeout: '5s', dataPlane: 'app' } as const;
