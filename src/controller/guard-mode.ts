/** Says which guard counts in a namespace, from what the operator was told and what a dry-run showed there. */
import type { Guard } from '../release/world.ts';
import type { Proof } from './guard-proofs.ts';

/**
 * `auto`: admission policy where a dry-run shows that it holds a template, else the pause guard; `admission`: the policy or
 * no release at all; `pause`: the pause guard even where the policy works.
 */
export const GUARD_MODES = ['auto', 'admission', 'pause'] as const;
export type GuardMode = (typeof GUARD_MODES)[number];

export function guardAs(mode: GuardMode, proof: Proof): Guard {
  if (mode === 'pause') return 'pause';
  switch (proof) {
    case 'proven':
      return 'admission';
    case 'absent':
      return mode === 'auto' ? 'pause' : 'absent';
    case 'unknown':
      return 'unknown';
    default:
      return proof satisfies never;
  }
}
