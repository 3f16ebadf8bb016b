/** Owns what `serin check` says: one finding is one sentence, with a mark and with whose move it is. */
import type { Reason } from '../../api/reasons.ts';

/** `unknown`: it could not be seen from here, which is neither good nor bad news. */
export type Mark = 'ok' | 'warn' | 'fail' | 'unknown';

export const areas = ['cluster', 'operator', 'workload', 'traffic', 'metrics', 'flags', 'rights'] as const;
export type Area = (typeof areas)[number];

export interface Finding {
  readonly area: Area;
  readonly mark: Mark;
  /** One sentence. */
  readonly message: string;
  /** The reason that the Rollout's status would give, where it would give one. */
  readonly reason?: Reason;
}

/** Makes the findings of one area. */
export function findingsOf(area: Area) {
  const made =
    (mark: Mark) =>
    (message: string, reason?: Reason): Finding => ({
      area,
      mark,
      message,
      ...(reason === undefined ? {} : { reason }),
    });
  return { ok: made('ok'), warn: made('warn'), fail: made('fail'), unknown: made('unknown') };
}

/** How the kinds, rights and policies get into a cluster, for the end of a sentence. */
export const install = 'the platform team runs kubectl apply --server-side -f deploy/install.yaml';
