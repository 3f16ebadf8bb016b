/** Reads the spec of a Rollout into its effective form; one that cannot be read becomes a sentence, never an exception (S15). */
import * as z from 'zod';
import { type EffectiveSpec, effectiveSpec } from '../api/effective.ts';
import { rolloutSpecSchema } from '../api/rollout.ts';

export type SpecReading =
  | { readonly kind: 'read'; readonly spec: EffectiveSpec }
  /**
   * `remnant`: what could be made out of target and traffic, with defaults elsewhere. Good enough to give a workload
   * back; never to begin a release.
   */
  | { readonly kind: 'unreadable'; readonly message: string; readonly remnant: EffectiveSpec | undefined };

export function readSpec(raw: unknown): SpecReading {
  const parsed = rolloutSpecSchema.safeParse(raw);
  if (!parsed.success) return unreadable(raw, firstIssue(parsed.error));
  try {
    return { kind: 'read', spec: effectiveSpec(parsed.data) };
  } catch (error) {
    return unreadable(raw, error instanceof Error ? error.message : String(error));
  }
}

function unreadable(raw: unknown, why: string): SpecReading {
  return {
    kind: 'unreadable',
    message: `The spec cannot be read: ${why}; correct it, or install the version of Serin that it was written for.`,
    remnant: remnantOf(raw),
  };
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'it has an unknown fault';
  const place = issue.path.length === 0 ? 'spec' : `spec.${issue.path.join('.')}`;
  return `${place}: ${issue.message}`;
}

const remnantSchema = z.object({
  targetRef: z.object({ name: z.string() }),
  traffic: z
    .object({
      service: z.string().optional().catch(undefined),
      routes: z.array(z.object({ name: z.string() })).catch([]),
      alsoReachable: z.array(z.string()).optional().catch(undefined),
    })
    .catch({ routes: [] }),
});

function remnantOf(raw: unknown): EffectiveSpec | undefined {
  const { data } = remnantSchema.safeParse(raw);
  if (data === undefined) return undefined;
  const { service, routes, alsoReachable } = data.traffic;
  return effectiveSpec({
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: data.targetRef.name },
    traffic: {
      ...(service === undefined ? {} : { service }),
      routes: routes.map(({ name }) => ({ kind: 'HTTPRoute', name })),
      ...(alsoReachable === undefined ? {} : { alsoReachable }),
    },
  });
}
