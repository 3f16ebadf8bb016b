/** Owns the way from a command to its cluster: the context, namespace and credentials that kubectl would use. */
import type { Clock } from '../kube/clock.ts';
import { loadConnection } from '../kube/config.ts';
import { HttpTransport } from '../kube/transport.ts';
import { type GlobalOptions, type Session, sessionOn } from './session.ts';

/** Throws a KubeError that says what to pass when no cluster can be found; contacts nothing. */
export function openSession(options: GlobalOptions, clock: Clock, version: string): Session {
  const connection = loadConnection({ kubeconfig: options.kubeconfig, context: options.context });
  const transport = new HttpTransport({ connection, clock, userAgent: `serin/${version} (cli)` });
  return sessionOn(transport, options.namespace ?? connection.namespace);
}
