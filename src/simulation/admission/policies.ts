/**
 * Serin's admission policies as they stand in deploy/policies, restated one file each. Tenancy is left out: it asks the
 * authorizer, and here everybody who is known may do everything.
 */
import { anchor } from './anchor.ts';
import { attach } from './attach.ts';
import { dryRunOnly } from './dry-run-only.ts';
import { guard } from './guard.ts';
import { pin } from './pin.ts';
import type { Policy } from './policy.ts';
import { stamp } from './stamp.ts';
import { status } from './status.ts';
import { warn } from './warn.ts';

export function policiesOf(): readonly Policy[] {
  return [attach, guard, pin, stamp, anchor, status, dryRunOnly, warn];
}
