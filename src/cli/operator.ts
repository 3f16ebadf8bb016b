/** `serin operator`: runs the control loop until it is told to stop. It reads its options and wires; what happens is decided elsewhere. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pino } from 'pino';
import { EXIT } from '../api/reasons.ts';
import { readFaultPoint } from '../controller/fault-points.ts';
import type { GuardMode } from '../controller/guard-mode.ts';
import { runOperator } from '../controller/operator.ts';
import { createMetrics } from '../insight/metrics.ts';
import { loadConnection } from '../kube/config.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { programVersion } from './version.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export interface OperatorOptions extends GlobalOptions {
  /** Namespace of the Lease; default `serin-system`. */
  readonly leaseNamespace?: string | undefined;
  /** Default `serin`. */
  readonly leaseName?: string | undefined;
  /** Where /metrics, /livez and /readyz are served; default `:9797`. */
  readonly metricsAddress?: string | undefined;
  /** Default `info`. */
  readonly logLevel?: (typeof logLevels)[number] | undefined;
  /** What holds new templates; default `auto`. */
  readonly guard?: GuardMode | undefined;
  /** Rollouts worked on at once; default 4. */
  readonly workers?: number | undefined;
}

/** Exits with 0 after SIGTERM or SIGINT, with 1 when the Lease was lost: then another process leads. */
export async function operator(
  options: OperatorOptions,
  around: Pick<Surroundings, 'clock' | 'random'>,
): Promise<number> {
  const connection = loadConnection({ kubeconfig: options.kubeconfig, context: options.context });
  const faultPoint = readFaultPoint(process.env['SERIN_FAULT_POINT']);
  // Lines are written at once: those before a crash are the ones that are needed.
  const log = pino(
    { level: options.logLevel ?? 'info', timestamp: pino.stdTimeFunctions.isoTime, base: null },
    pino.destination({ fd: 1, sync: true }),
  );
  const end = await runOperator(
    {
      connection,
      clock: around.clock,
      random: around.random,
      log,
      metrics: createMetrics({ withProcess: true }),
      userAgent: `serin/${programVersion} (operator)`,
      identity: `${hostname()}_${randomUUID()}`,
      lease: { namespace: options.leaseNamespace ?? 'serin-system', name: options.leaseName ?? 'serin' },
      probesAddress: options.metricsAddress ?? ':9797',
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      ...(options.guard === undefined ? {} : { guard: options.guard }),
      ...(faultPoint === undefined ? {} : { faultPoint }),
    },
    stopSignal(),
  );
  return end === 'lost' ? EXIT.error : EXIT.done;
}

/** Aborts with the first SIGTERM or SIGINT; a second one ends the process as usual. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => {
    process.removeListener('SIGTERM', onSignal);
    process.removeListener('SIGINT', onSignal);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}
