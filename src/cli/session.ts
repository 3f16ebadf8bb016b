/** Owns what a command is given: its cluster as one user, its terminal, its clock. It opens no connection by itself. */
import type { Clock, Random } from '../kube/clock.ts';
import { KubeClient } from '../kube/client.ts';
import type { Transport } from '../kube/transport.ts';
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
  open(options: GlobalOptions): Promise<Session>;
  /** Text of a file; `-` is standard input. */
  readText(path: string): Promise<string>;
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
  const session = await around.open(options);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
