// Reads the body of one answer into memory, up to a limit for it and up to an allowance for all that are read at once.
// It never reads on when either is used up, so a source that sends without end costs a bounded number of bytes.
import type { Dispatcher } from 'undici';

type Body = Dispatcher.ResponseData['body'];

export type BodyRead =
  | { readonly kind: 'whole'; readonly text: string }
  /** Longer than the limit; the beginning. */
  | { readonly kind: 'tooLarge'; readonly text: string }
  /** Other large answers are being read at the same moment. */
  | { readonly kind: 'noRoom' };

/** Every answer may have this much whatever others send, so that a flood from one source delays no other (S15). */
const ownBytes = 1024 * 1024;
const firstBytes = 64 * 1024;

/** Memory for the large ones among the answers that are read at once. */
export class Allowance {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#leftBytes += bytes;
  }
}

/** Rejects with what broke the body off. A body that is not read to its end is closed, and its connection with it. */
export async function readBytes(body: Body, limitBytes: number, allowance: Allowance): Promise<BodyRead> {
  let held: Buffer = Buffer.allocUnsafe(Math.min(firstBytes, limitBytes));
  let bytes = 0;
  let takenBytes = 0;
  try {
    // Copied at once: a body in pieces of one byte would hold a block of memory for each of them.
    for await (const part of body as AsyncIterable<Buffer>) {
      if (bytes + part.length > limitBytes) return { kind: 'tooLarge', text: held.toString('utf8', 0, bytes) };
      if (bytes + part.length > held.length) {
        const largerBytes = Math.min(Math.max(2 * held.length, bytes + part.length), limitBytes);
        const neededBytes = Math.max(0, largerBytes - ownBytes) - takenBytes;
        if (neededBytes > 0 && !allowance.take(neededBytes)) return { kind: 'noRoom' };
        takenBytes += Math.max(0, neededBytes);
        held = Buffer.concat([held.subarray(0, bytes)], largerBytes);
      }
      bytes += part.copy(held, bytes);
    }
    return { kind: 'whole', text: held.toString('utf8', 0, bytes) };
  } finally {
    allowance.give(takenBytes);
  }
}

/** Closes a body that nobody wants to read, without waiting for the rest of it. */
export function abandon(body: Body): void {
  body.on('error', () => undefined).destroy();
}
