/**
 * Owns the kinds of text that several objects share: names, durations, times, sentences; each bounded, because the
 * API server prices a CEL rule by the longest value it could meet.
 */
import * as z from 'zod';
import { DURATION_MAX_LENGTH, DURATION_PATTERN, SPAN_PATTERN } from './duration.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Name of an object as most kinds allow it (RFC 1123 subdomain). */
export function objectName(description: string) {
  return z.string().min(1).max(253).regex(subdomain).describe(description);
}

/** A short name of lower-case letters, digits and dashes (RFC 1123 label). */
export function labelName(description: string) {
  return z.string().min(1).max(63).regex(label).describe(description);
}

/** Name of a Service. */
export function serviceName(description: string) {
  return labelName(description);
}

/** A span of time such as `90s`, `10m` or `1h30m`. */
export function duration(description: string) {
  return z.string().max(DURATION_MAX_LENGTH).regex(new RegExp(DURATION_PATTERN)).describe(description);
}

/** A short span such as `300ms` or `2s`. */
export function span(description: string) {
  return z.string().max(DURATION_MAX_LENGTH).regex(new RegExp(SPAN_PATTERN)).describe(description);
}

/** A moment, RFC 3339. */
export function moment(description: string) {
  return z.iso.datetime({ offset: true }).max(40).describe(description);
}

/** A name that may stand in an address and in a message: no slash and no space in it. */
export function pathName(longest: number, description: string) {
  return z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[A-Za-z0-9][-A-Za-z0-9._~]*$/)
    .describe(description);
}

/** Certificates of the authorities that a server's certificate is checked against. */
export function trustedAuthorities() {
  return z
    .string()
    .min(1)
    .max(65_536)
    .optional()
    .describe(
      'Certificates (PEM) of the authorities that may have signed the certificate of the server. With it no others are trusted. Default: public authorities.',
    );
}

/** Words for people, or an opaque identifier. */
export function text(maxLength: number, description: string) {
  return z.string().max(maxLength).describe(description);
}

/** The `pod-template-hash` that names a revision. */
export function revisionHash(description: string) {
  return z
    .string()
    .max(63)
    .regex(/^[a-z0-9]+$/)
    .describe(description);
}
