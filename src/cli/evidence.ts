/** Reads what status keeps of the judge's evidence; anything it does not know is left out, never guessed. */
import * as z from 'zod';

const countsSchema = z.object({ requests: z.number(), errors: z.number() });

const engineSchema = z.object({
  name: z.string(),
  canary: countsSchema,
  stable: countsSchema,
  /** A number that is infinite has become null on its way through JSON. */
  ruledOutExcess: z.number().nullish(),
  evidence: z.string(),
});

const evidenceSchema = z.object({
  judge: z.enum(['twoArms', 'bake']),
  evidence: z.string(),
  needed: z.string(),
  accepted: z.string().optional(),
  acceptedInStep: z.string().optional(),
  engines: z.array(engineSchema),
});

export type ShownEvidence = z.infer<typeof evidenceSchema>;

/** Undefined when nothing was judged yet, or a Serin of another version wrote it. */
export function readEvidence(evidence: unknown): ShownEvidence | undefined {
  return evidenceSchema.safeParse(evidence).data;
}
