/**
 * What a scenario can do to a cluster, be it the double or a real one: ask through the client, wait, and let time pass. A
 * scenario never knows which of the two it plays in.
 */
import type { KubeClient } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Transport } from '../../src/kube/transport.ts';

export interface World {
  /** As an admin. */
  readonly client: KubeClient;
  readonly transport: Transport;
  /** A namespace of the suite's own. */
  readonly namespace: string;
  /** Asks until there is an answer; throws when there is none after a minute. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>;
  /** Lets so many milliseconds pass: for what must not happen. */
  pass(ms: number): Promise<void>;
}

export interface Scenario {
  /** A sentence about the world. */
  readonly sentence: string;
  /** Plays it with objects of this name and gives what could be observed. */
  readonly play: (world: World, name: string) => Promise<unknown>;
  /** What must have been observed, in both worlds. */
  readonly outcome: unknown;
}

/** What the server said to a request that must fail: its reason, HTTP status and words; `accepted` when it did not. */
export async function refusal(request: Promise<unknown>, ...hidden: readonly string[]): Promise<string> {
  try {
    await request;
    return 'accepted';
  } catch (error) {
    if (!isKubeError(error)) throw error;
    const said = error.message.split('the API server refused: ')[1] ?? error.message;
    const named = hidden.reduce((text, secret) => text.replaceAll(secret, '…'), said);
    return `${error.httpStatus ?? 0} ${error.reason ?? error.code}: ${named}`;
  }
}

/** The same without the words, for messages that are long or differ in wording between versions. */
export async function refusalClass(request: Promise<unknown>): Promise<string> {
  return (await refusal(request)).split(':')[0] ?? '';
}
