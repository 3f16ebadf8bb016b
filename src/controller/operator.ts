/**
 * The operator as a process: warm stores, one Lease, the control loop while it is held, and the answers to probes. It
 * writes nothing without the Lease, and when the Lease is lost it stops and says so, so that the process can end.
 */
import type { Metrics } from '../insight/metrics.ts';
import { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import type { ClusterConnection } from '../kube/config.ts';
import { LeaderElector, type TermEnd } from '../kube/lease.ts';
import type { ObjectRef } from '../kube/resources.ts';
import { HttpTransport, type Transport } from '../kube/transport.ts';
import { type FaultPoint, faultHook, flagFaultHook } from './fault-points.ts';
import type { GuardMode } from './guard-mode.ts';
import type { Log } from './log.ts';
import { ControlLoop } from './loop.ts';
import { serveProbes } from './probes.ts';

export interface OperatorOptions {
  readonly connection: ClusterConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly userAgent: string;
  /** Unique to this process. */
  readonly identity: string;
  readonly lease: ObjectRef;
  /** Where /metrics, /livez and /readyz are served. */
  readonly probesAddress: string;
  readonly namespace?: string;
  readonly workers?: number;
  /** What holds new templates; default `auto`. */
  readonly guard?: GuardMode;
  /** Only for tests that kill the process in the middle of its work. */
  readonly faultPoint?: FaultPoint;
  /** Told where probes are served, once they are. */
  readonly onListening?: (port: number) => void;
}

/**
 * Works until `signal` aborts (`stopped`: workers ended, Lease released) or the Lease is lost (`lost`: the process should
 * exit, another one leads). Throws when it cannot start or a loop failed.
 */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<TermEnd> {
  const transport = transportOf(options);
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  try {
    return await operate(options, transport, all, stop);
  } finally {
    stop.abort();
    await transport.close();
  }
}

async function operate(
  options: OperatorOptions,
  transport: Transport,
  signal: AbortSignal,
  stop: AbortController,
): Promise<TermEnd> {
  const { metrics, log, namespace, lease } = options;
  const leadership: { elector?: LeaderElector } = {};
  const loop = new ControlLoop({
    transport,
    clock: options.clock,
    random: options.random,
    log,
    metrics,
    instance: options.identity,
    mayWrite: () => leadership.elector?.isLeader === true,
    ...(lease.namespace === undefined ? {} : { ownNamespace: lease.namespace }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.guard === undefined ? {} : { guard: options.guard }),
    ...(options.faultPoint === undefined ? {} : { onFlagWrite: flagFaultHook(options.faultPoint) }),
  });
  const elector = electorOf(options, transport, loop);
  leadership.elector = elector;
  const probes = await serveProbes({
    address: options.probesAddress,
    registry: metrics.registry,
    sample: () => loop.sample(),
    ailments: () => loop.supervisor.ended,
    unready: () =>
      loop.mirrors
        .filter(({ reflector }) => !reflector.hasSynced)
        .map(({ resource }) => `${resource} were not listed yet`),
  });
  options.onListening?.(probes.port);
  log.info(
    { port: probes.port, namespace: namespace ?? 'all', lease: `${lease.namespace ?? ''}/${lease.name}` },
    'Serin started.',
  );
  // A watch that ends takes the leader with it: deciding on a store that nobody fills is deciding on the past.
  const mirroring = loop.mirror(signal).finally(() => stop.abort());
  try {
    return await termOf(elector, loop, mirroring, signal);
  } finally {
    stop.abort();
    await Promise.allSettled([mirroring]);
    await probes.close();
  }
}

/** Leads once the stores are warm. */
async function termOf(
  elector: LeaderElector,
  loop: ControlLoop,
  mirroring: Promise<void>,
  signal: AbortSignal,
): Promise<TermEnd> {
  if (!(await loop.synced())) {
    await mirroring;
    return 'stopped';
  }
  const end = await elector.run(signal);
  if (end === 'stopped') await mirroring;
  return end;
}

function electorOf(
  { clock, random, log, lease, identity }: OperatorOptions,
  transport: Transport,
  loop: ControlLoop,
): LeaderElector {
  const fields = { lease: `${lease.namespace ?? ''}/${lease.name}`, identity };
  return new LeaderElector({
    client: new KubeClient({ transport }),
    clock,
    random,
    lease,
    identity,
    onStartedLeading: (signal) => {
      log.info(fields, 'This process holds the Lease and begins to work.');
      return loop.lead(signal);
    },
    onStoppedLeading: (why) =>
      log.info({ ...fields, why }, 'This process no longer leads; nothing is written any more.'),
    onError: (error) =>
      log.warn(
        { ...fields, error: error instanceof Error ? error.message : String(error) },
        'The Lease could not be read or renewed; trying again.',
      ),
  });
}

function transportOf({ connection, clock, userAgent, metrics, faultPoint }: OperatorOptions): HttpTransport {
  return new HttpTransport({
    connection,
    clock,
    userAgent,
    onRequest: (method, pathTemplate, status) => metrics.apiRequest(method, pathTemplate, status),
    ...(faultPoint === undefined ? {} : { onWrite: faultHook(faultPoint) }),
  });
}
