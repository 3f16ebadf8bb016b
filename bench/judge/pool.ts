/** Owns the threads: cuts jobs into pieces, keeps every thread busy, and puts results together in the order of the jobs. */
import { Worker } from 'node:worker_threads';
import type { Outcome } from './play.ts';
import { type Job, rulesOf } from './protocol.ts';
import { type Result, resultOf } from './results.ts';
import type { Piece, Played } from './worker.ts';

const pieceReplicates = 100;

/** Plays all jobs on so many threads. `progress` hears which part is done, from 0 to 1. */
export async function playAll(
  jobs: readonly Job[],
  threads: number,
  progress: (done: number) => void,
): Promise<readonly Result[]> {
  const pieces = jobs.flatMap(piecesOf).map((piece, number): Piece => ({ ...piece, number }));
  const played: Played[] = [];
  const queue = [...pieces];
  let done = 0;
  await Promise.all(
    Array.from({ length: threads }, () =>
      work(queue, (piece) => {
        played[piece.number] = piece;
        done += 1;
        progress(done / pieces.length);
      }),
    ),
  );
  return jobs.map((job) => resultOf(job, namesOf(job), joined(pieces, played, job)));
}

function work(queue: Piece[], onPlayed: (played: Played) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    const next = (): void => {
      const piece = queue.shift();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window of a browser
      if (piece) worker.postMessage(piece);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('message', (played: Played) => {
      onPlayed(played);
      next();
    });
    worker.on('error', reject);
    next();
  });
}

function piecesOf(job: Job): readonly Omit<Piece, 'number'>[] {
  const pieces = [];
  for (let from = 0; from < job.replicates; from += pieceReplicates)
    pieces.push({ job, from, to: Math.min(job.replicates, from + pieceReplicates) });
  return pieces;
}

function joined(pieces: readonly Piece[], played: readonly Played[], job: Job): readonly (readonly Outcome[])[] {
  const own = pieces.filter((piece) => piece.job === job).flatMap(({ number }) => played[number] ?? []);
  return namesOf(job).map((_, rule) => own.flatMap(({ outcomes }) => outcomes[rule] ?? []));
}

function namesOf(job: Job): readonly string[] {
  return rulesOf(job).map(({ name }) => name);
}
