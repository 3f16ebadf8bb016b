/** Owns the way from a command to its cluster: the context, namespace and credentials that kubectl would use. */
import type { Clock, Random } from '../kube/clock.ts';
import { KubeClient } from '../kube/client.ts';
import { loadConnection } from '../kube/config.ts';
import { HttpTransport, type Transport } from '../kube/transport.ts';
import type { Terminal } from './terminal.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

/** One cluster as one user, until `close`. */
export interface Session {
  readonly client: KubeClient;
  /** Of --namespace, else of the context. */
  readonly namespace: string;
  close(): Promise<void>;
}

/** All that a command may touch besides its arguments. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  /** How the user called the program: "serin" or "kubectl serin". */
  readonly programName: string;
  /** Throws a KubeError when no cluster can be found; contacts nothing. */
  open(options: GlobalOptions): Session;
  /** Text of a file; `-` is standard input. */
  readText(path: string): Promise<string>;
}

export function openSession(options: GlobalOptions, clock: Clock, version: string): Session {
  const connection = loadConnection({ kubeconfig: options.kubeconfig, context: options.context });
  const transport = new HttpTransport({ connection, clock, userAgent: `serin/${version} (cli)` });
  return sessionOn(transport, options.namespace ?? connection.namespace);
}

/** A session over any transport; tests give their own. */
export function sessionOn(transport: Transport, namespace: string): Session {
  return {
    client: new KubeClient({ transport, fieldManager: 'serin-cli' }),
    namespace,
    close: () => transport.close(),
  };
}

/** Runs `use` with a session and closes it, whatever happens. */
export async function withSession<T>(
  around: Pick<Surroundings, 'open'>,
  options: GlobalOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = around.open(options);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
