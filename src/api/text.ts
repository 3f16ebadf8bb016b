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

/** Name of a Service (RFC 1123 label). */
export function serviceName(description: string) {
  return z.string().min(1).max(63).regex(label).describe(description);
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
