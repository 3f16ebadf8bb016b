/**
 * Owns where Serin may change feature flags: written by the platform team, because it lets the operator write into a flag
 * backend with a credential. It says nothing of any one flag.
 */
import * as z from 'zod';
import { DURATION_PATTERN, parseDurationMs } from './duration.ts';
import { flagHttpSchema, requestTimeout } from './flag-http.ts';
import { address, authoritiesNeedTls, namespacesSchema, secretRefSchema } from './metric-source.ts';
import { withRules } from './rules.ts';
import { duration, objectName, pathName, serviceName, trustedAuthorities } from './text.ts';

const token = (whose: string) =>
  z
    .strictObject({
      secretRef: secretRefSchema.describe(`The Secret with the credential: its key token is ${whose}.`),
    })
    .describe(`How the operator proves who it is: ${whose}. Read again every minute, so that it may be rotated.`);

const server = (whose: string) => ({
  address: z
    .string()
    .min(1)
    .max(1024)
    .regex(address)
    .describe(`Base URL of ${whose}, http or https, with a path if it lives under one. Without user name or query.`),
  timeout: requestTimeout(),
  caBundle: trustedAuthorities(),
});

const featureFlagSchema = withRules(
  z
    .strictObject({
      kind: z.enum(['FeatureFlag']).optional().describe('Kind of the objects: core.openfeature.dev/v1beta1.'),
      overrideSuffix: serviceName(
        'What the override is called: the name of the FeatureFlag that defines the flag, a dash and this. Default: serin.',
      ).optional(),
      overrideName: objectName(
        'Instead: the name of one override for all flags of a namespace. Needed where several FeatureFlags of a namespace define the same flag.',
      ).optional(),
    })
    .describe(
      'FeatureFlag objects of the OpenFeature operator, in the namespace of the Rollout. Serin writes into an override of its own, which the FeatureFlagSource of the application lists last.',
    ),
  [
    {
      cel: '!has(self.overrideSuffix) || !has(self.overrideName)',
      message: 'overrideName says the whole name: leave overrideSuffix out.',
      holds: ({ overrideSuffix, overrideName }) => overrideSuffix === undefined || overrideName === undefined,
    },
  ],
);

const LONGEST_DELAY_MS = 240_000;

const delaySchema = withRules(
  duration(
    'How long it takes until flagd has read a change, at most 4m: a node brings a changed ConfigMap into its pods within about two minutes. Until then a change does not count as served. Default: 2m.',
  ),
  [
    {
      cel: "duration(self) <= duration('4m')",
      message: 'delay is at most 4m: users suffer for as long.',
      holds: (text) => !new RegExp(DURATION_PATTERN).test(text) || parseDurationMs(text) <= LONGEST_DELAY_MS,
    },
  ],
);

const flagdFileSchema = z
  .strictObject({
    configMap: objectName('Name of the ConfigMap, in the namespace of the Rollout.'),
    key: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[-._A-Za-z0-9]+$/)
      .describe('Its key with the file: flagd JSON.'),
    delay: delaySchema.optional(),
  })
  .describe('A flagd file in a ConfigMap that is mounted where flagd reads it.');

const unleashSchema = withRules(
  z
    .strictObject({
      ...server('Unleash; /api is added'),
      project: pathName(100, 'The project of the flags. Default: default.').optional(),
      environment: pathName(100, 'The environment in which flags are changed, such as production.'),
      auth: token('a token that may change flags of the project (of a service account, or an admin token)'),
      clientAuth: token('a backend token of the environment, with which Serin reads what applications read'),
    })
    .describe('An Unleash server.'),
  [authoritiesNeedTls],
);

const fliptSchema = withRules(
  z
    .strictObject({
      ...server('Flipt v2; /api/v2 is added'),
      environment: pathName(100, 'The environment. Default: default.').optional(),
      namespace: pathName(100, 'The namespace of the flags, in Flipt. Default: default.').optional(),
      auth: token('a token of Flipt').optional(),
    })
    .describe('A Flipt v2 server.'),
  [authoritiesNeedTls],
);

const withinMs = { least: 1_000, most: 300_000 } as const;

const withinSchema = withRules(
  duration(
    'How long a change may take until it is seen to be served, from 1s to 5m. It is part of the time that the rung observes; a flag that is not served by then is given up. With flagdFile 3m unless it is said. Default: 10s.',
  ),
  [
    {
      cel: "duration(self) >= duration('1s') && duration(self) <= duration('5m')",
      message: 'a change has to be served within a time of 1s to 5m: write one between them.',
      holds: (text) =>
        !new RegExp(DURATION_PATTERN).test(text) ||
        (parseDurationMs(text) >= withinMs.least && parseDurationMs(text) <= withinMs.most),
    },
  ],
);

const backends = ['featureFlag', 'flagdFile', 'unleash', 'http', 'flipt'] as const;

export const flagSourceSpecSchema = withRules(
  z
    .strictObject({
      featureFlag: featureFlagSchema.optional(),
      flagdFile: flagdFileSchema.optional(),
      unleash: unleashSchema.optional(),
      http: flagHttpSchema.optional(),
      flipt: fliptSchema.optional(),
      verify: z
        .strictObject({
          within: withinSchema.optional(),
        })
        .optional()
        .describe('How it is made sure that a change is served.'),
      namespaces: namespacesSchema.optional(),
    })
    .describe('A flag source that Rollouts may use.'),
  [
    {
      cel: `[${backends.map((one) => `has(self.${one})`).join(', ')}].exists_one(x, x)`,
      message: 'a FlagSource is one of featureFlag, flagdFile, unleash, http and flipt: write one of them.',
      holds: (spec) => backends.filter((one) => spec[one] !== undefined).length === 1,
    },
  ],
);

export type FlagSourceSpec = z.infer<typeof flagSourceSpecSchema>;

/** What holds where a FlagSource says nothing. */
export const flagSourceDefaults = {
  verifyWithin: '10s',
  /** With a flagd file. */
  verifyFileWithin: '3m',
  fileDelay: '2m',
  timeout: '3s',
  overrideSuffix: 'serin',
  project: 'default',
  fliptEnvironment: 'default',
  fliptNamespace: 'default',
  header: 'Authorization',
  scheme: 'Bearer',
  success: [200, 201, 202, 204],
  readBackMethod: 'GET',
} as const;
