/**
 * Owns how the HTTP calls of a flag backend are written: texts with placeholders for what may differ between two changes, and
 * the host, the scheme and the credential never among them.
 */
import * as z from 'zod';
import { header } from './header.ts';
import { keptHeaders, secretRefSchema } from './metric-source.ts';
import { distinct, withRules } from './rules.ts';
import { parseSpanMs, SPAN_PATTERN } from './duration.ts';
import { span, trustedAuthorities } from './text.ts';

/** What `$(…)` in a text of these calls may say. */
export const flagPlaceholders = ['flag', 'variant', 'value', 'percent', 'changeId', 'namespace'] as const;

const placeholder = String.raw`\$\((${flagPlaceholders.join('|')})\)`;
const placeholderWords = flagPlaceholders.map((one) => `$(${one})`).join(', ');

// No placeholder before the path: a Rollout must not say which host gets the credential.
const url = new RegExp(
  String.raw`^https?://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/([-A-Za-z0-9._~/:@!*,;=%+]|${placeholder})*)?(\?([-A-Za-z0-9._~/:@!*,;=%+&\[\]]|${placeholder})*)?$`,
);
const template = new RegExp(String.raw`^([^$]|\$[^(]|${placeholder})*\$?$`);
const pointer = new RegExp(String.raw`^(/([^~$]|~[01]|${placeholder})*)?$`);

const urlText = (what: string) =>
  z
    .string()
    .min(1)
    .max(2048)
    .regex(url)
    .describe(`${what} Placeholders stand in its path and query alone: ${placeholderWords}; each is escaped.`);

const bodyText = () =>
  z
    .string()
    .max(16_384)
    .regex(template)
    .optional()
    .describe(
      `What is sent, JSON unless a header says otherwise. Placeholders: ${placeholderWords}. Each stands inside the quotes of a string, where it is escaped; a number, true or false may also stand alone.`,
    );

// A flag backend that speaks more than JSON is told so in content-type.
const kept = keptHeaders.filter((name) => name !== 'content-type' && name !== 'accept');

const headers = () =>
  distinct(
    z
      .array(
        header({
          name: /^[A-Za-z0-9][-A-Za-z0-9_.]*$/,
          longestName: 128,
          longestValue: 1024,
          value: 'Its value, for everybody to see who may read FlagSources: no credentials.',
          description: 'One header.',
          kept,
          message:
            'this header is not for a FlagSource to set: a credential goes into the Secret of auth, the others belong to the request.',
        }),
      )
      .max(16)
      .describe('Headers that are sent, such as content-type (application/json if there is a body).'),
    ['name'],
  ).optional();

const writeSchema = (description: string) =>
  z
    .strictObject({
      method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).describe('Method of the request.'),
      url: urlText('Where the flag is changed.'),
      headers: headers(),
      body: bodyText(),
      success: z
        .array(z.int().min(200).max(299).describe('A status code.'))
        .min(1)
        .max(16)
        .optional()
        .describe('Status codes that mean that the change was accepted. Default: 200, 201, 202 and 204.'),
    })
    .describe(description);

const readBackSchema = z
  .strictObject({
    method: z.enum(['GET', 'POST']).optional().describe('POST for an API that evaluates a flag. Default: GET.'),
    url: urlText('Where what is served is read.'),
    headers: headers(),
    body: bodyText(),
    value: z
      .string()
      .max(512)
      .regex(pointer)
      .describe(
        `JSON pointer to what is served in the answer, such as /environments/production/on. Placeholders: ${placeholderWords}.`,
      ),
    changeId: z
      .string()
      .max(512)
      .regex(pointer)
      .optional()
      .describe(
        'JSON pointer to where the answer has $(changeId), if the write puts it there: proves that what is served is this change.',
      ),
  })
  .describe('How it is read what is served, before a change and after it.');

const variantSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z0-9][-A-Za-z0-9._~]*$/)
      .describe('The variant, as Rollouts name it.'),
    write: z.string().max(256).optional().describe('What $(value) stands for in a write. Default: the name.'),
    read: z.string().max(256).optional().describe('What is read back, as text. Default: what is written.'),
  })
  .describe('One variant.');

const authSchema = z
  .strictObject({
    secretRef: secretRefSchema.describe(
      'The Secret with the credential: key token, or keys username and password (sent as Basic).',
    ),
    header: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z][-A-Za-z0-9]*$/)
      .optional()
      .describe('The header that carries it. Default: Authorization.'),
    scheme: z
      .string()
      .max(32)
      .regex(/^[A-Za-z][-A-Za-z0-9]*$/)
      .optional()
      .describe('The word before the token; none sends the token alone. Default: Bearer.'),
  })
  .describe('How the operator proves who it is. Read again every minute, so that it may be rotated.');

const urlsOf = (spec: {
  readonly write: { readonly url: string };
  readonly restore?: { readonly url: string } | undefined;
  readonly readBack: { readonly url: string };
}) => [spec.write.url, spec.readBack.url, ...(spec.restore === undefined ? [] : [spec.restore.url])];

export const flagHttpSchema = withRules(
  z
    .strictObject({
      write: writeSchema('How a flag is changed.'),
      restore: writeSchema(
        'How a flag is turned back; $(value) and $(variant) are what was read before the change. Default: write, with that value.',
      ).optional(),
      readBack: readBackSchema,
      variants: distinct(
        z.array(variantSchema).max(32).describe('What the server calls a variant, where that is not its name.'),
        ['name'],
      ).optional(),
      auth: authSchema.optional(),
      timeout: requestTimeout(),
      caBundle: trustedAuthorities(),
    })
    .describe('Any server that changes a flag by one HTTP request, and shows by another what is served.'),
  [
    {
      cel: "!has(self.caBundle) || (self.write.url.startsWith('https://') && self.readBack.url.startsWith('https://') && (!has(self.restore) || self.restore.url.startsWith('https://')))",
      message: 'caBundle needs URLs with https://, without TLS there is no certificate to check.',
      holds: (spec) => spec.caBundle === undefined || urlsOf(spec).every((one) => one.startsWith('https://')),
    },
  ],
);

/** Of every backend that is called. */
export function requestTimeout() {
  return withRules(span('How long one request may take, from 500ms to 10s. Default: 3s.'), [
    {
      cel: "duration(self) >= duration('500ms') && duration(self) <= duration('10s')",
      message: 'a request may take 500ms to 10s: write a time between them.',
      holds: (text) =>
        !new RegExp(SPAN_PATTERN).test(text) || (parseSpanMs(text) >= 500 && parseSpanMs(text) <= 10_000),
    },
  ]).optional();
}
