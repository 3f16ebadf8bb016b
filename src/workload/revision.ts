/**
 * Decides whether two live templates are the same revision, and what a revision is called. The name is only a name:
 * a new default in an API-server upgrade changes it, and a digest as identity would release every rejected revision again.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { POD_TEMPLATE_HASH } from './marks.ts';
import type { PodTemplate } from './objects.ts';

/** The Deployment controller's own alphabet: no vowels, no digits that look like letters. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const HASH_LENGTH = 10;

/** Are these the same revision? Both must have been read from the same API server, so that both got the same defaults. */
export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return isDeepStrictEqual(withoutHash(a), withoutHash(b));
}

/** Ten characters that name a template; equal templates get equal names, whatever their order of keys. */
export function hashOf(template: PodTemplate): string {
  const digest = createHash('sha256')
    .update(canonical(withoutHash(template)))
    .digest();
  let rest = BigInt(`0x${digest.toString('hex')}`);
  let name = '';
  while (name.length < HASH_LENGTH) {
    name += ALPHABET.charAt(Number(rest % BigInt(ALPHABET.length)));
    rest /= BigInt(ALPHABET.length);
  }
  return name;
}

/** Image of the first container. */
export function imageOf(template: PodTemplate): string {
  return template.spec.containers[0]?.image ?? '';
}

/** Images of all containers, for people. */
export function imagesOf(template: PodTemplate): string {
  return template.spec.containers.map((container) => container.image ?? '').join(', ');
}

/** The template as the user wrote it: without the label that a ReplicaSet adds, and without the empty time of old servers. */
function withoutHash(template: PodTemplate): PodTemplate {
  const { labels = {}, creationTimestamp: _none, ...metadata } = template.metadata ?? {};
  const { [POD_TEMPLATE_HASH]: _hash, ...own } = labels;
  return { ...template, metadata: { ...metadata, labels: own } };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isRecord(part) ? sorted(part) : part));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
