/** What Serin's own image runs in the pods of a demo on a real cluster: the application of the demo, until it is told to end. */
import { type Clock, type Random, untilAborted } from '../kube/clock.ts';
import { serveApplication } from './application.ts';

export interface PodOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** VERSION and ERROR_RATE. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How long it goes on serving then: gateways have to learn of it first. */
  readonly lingerMs?: number;
  readonly port?: number;
}

/** Serves on all addresses, as pods do. */
export async function runPod({ clock, random, env, signal, lingerMs = 5_000, port = 8080 }: PodOptions): Promise<void> {
  const version = env['VERSION'] ?? 'unknown';
  const badRate = Number(env['ERROR_RATE']) || 0;
  const application = await serveApplication({ version, badRate, random }, { host: '::', port });
  await untilAborted(signal);
  application.leave();
  await clock.sleep(lingerMs);
  await application.drain();
}
