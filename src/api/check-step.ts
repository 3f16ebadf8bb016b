/**
 * Owns what a check may ask of the pods of a new version: a few requests with what their answers have to be. It must never
 * let a Rollout choose whom Serin calls: there is no host, no address and no redirect in it.
 */
import * as z from 'zod';
import { parseSpanMs } from './duration.ts';
import { header } from './header.ts';
import { withRules } from './rules.ts';
import { duration, span } from './text.ts';

/** Longest time that one answer may take. */
export const LONGEST_ANSWER_MS = 10_000;

const expectSchema = z
  .strictObject({
    status: z.int().min(100).max(599).optional().describe('The status of the answer. Default: any from 200 to 299.'),
    body: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('A text that the first 64 KiB of the answer contain, exactly as written. Default: anything.'),
    within: withRules(span('The longest time that the answer may take, as in 500ms or 2s. Default: 10s.'), [
      {
        cel: "duration(self) <= duration('10s')",
        message: 'an answer is waited for 10s at most: write a shorter time.',
        holds: (text) => !/^[0-9]+m?s$/.test(text) || parseSpanMs(text) <= LONGEST_ANSWER_MS,
      },
    ]).optional(),
  })
  .describe('What the answer has to be.');

/** They belong to the connection, which is Serin's own. */
const CONNECTION_HEADERS: readonly string[] = [
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const headerSchema = header({
  name: /^[A-Za-z][-A-Za-z0-9]*$/,
  longestName: 64,
  longestValue: 256,
  value: 'Its value, for everybody who may read the Rollout to see: no secret.',
  description: 'A header of the request.',
  kept: CONNECTION_HEADERS,
  message:
    'this header belongs to the connection and not to the request: remove it. Host is the address of the pod, as in a probe.',
});

const requestSchema = withRules(
  z
    .strictObject({
      path: z
        .string()
        .min(1)
        .max(512)
        .regex(/^\/[!-"$-[\]-~]*$/)
        .describe('Path and query, from the first slash on.'),
      method: z
        .enum(['GET', 'HEAD', 'POST'])
        .optional()
        .describe('Method; POST is sent without a body. It is repeated until the check passes. Default: GET.'),
      headers: z.array(headerSchema).max(5).optional().describe('Headers of the request. Default: none.'),
      expect: expectSchema.optional(),
    })
    .describe('One request, sent to each pod that is asked.'),
  [
    {
      cel: "!has(self.method) || self.method != 'HEAD' || !has(self.expect) || !has(self.expect.body)",
      message: 'an answer to HEAD has no body: remove expect.body, or use GET.',
      holds: ({ method, expect }) => method !== 'HEAD' || expect?.body === undefined,
    },
  ],
);

export const checkSchema = z
  .strictObject({
    requests: z.array(requestSchema).min(1).max(10).describe('The requests, sent one after the other.'),
    within: duration(
      'How long the check is tried again before it counts as failed: a pod may need a moment to get warm. Default: 1m.',
    ).optional(),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port of the pods. Default: the one that the Service of traffic.service sends to.'),
  })
  .describe(
    'Calls up to 3 ready pods of the new version directly, by HTTP and without following redirects. All answers as expected: the next step begins. Otherwise the release goes back.',
  );

export type Check = z.infer<typeof checkSchema>;
