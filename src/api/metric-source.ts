/** Owns where Serin may read metrics from: written by the platform team, because it makes the operator call an address. */
import * as z from 'zod';
import { duration } from './text.ts';

// No user information, query or fragment: a credential in an address ends up in logs and in `kubectl get`.
const address =
  /^https?:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[-A-Za-z0-9._~/]*)?$/;

export const metricSourceSpecSchema = z
  .strictObject({
    prometheus: z
      .strictObject({
        address: z
          .string()
          .min(1)
          .max(1024)
          .regex(address)
          .describe(
            'Base URL of the Prometheus API, http or https, with a path if it lives under one; /api/v1 is added. Without user name, password or query.',
          ),
        timeout: duration('How long one query may take. Default: 5s.').optional(),
      })
      .describe('A server that answers the Prometheus query API.'),
    default: z.boolean().optional().describe('Rollouts that name no source use this one. Default: false.'),
    dataPlane: z
      .enum(['traefik', 'app'])
      .optional()
      .describe(
        "Whose request counters are read: traefik for the gateway's own, app for those that the pods expose. Default: app.",
      ),
  })
  .describe('A metric source that Rollouts may use.');

export type MetricSourceSpec = z.infer<typeof metricSourceSpecSchema>;

/** What holds where a MetricSource says nothing. */
export const metricSourceDefaults = { timeout: '5s', dataPlane: 'app' } as const;
