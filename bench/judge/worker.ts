/** Plays some releases of a scenario in a thread of its own and sends back what became of them. */
import { parentPort } from 'node:worker_threads';
import { type Outcome, playBraking, playTogether } from './play.ts';
import { type Job, rulesOf } from './protocol.ts';

/** Replicates from `from` up to, and without, `to`. */
export interface Piece {
  readonly number: number;
  readonly job: Job;
  readonly from: number;
  readonly to: number;
}

export interface Played {
  readonly number: number;
  /** One list for each rule. */
  readonly outcomes: readonly (readonly Outcome[])[];
}

parentPort?.on('message', (piece: Piece) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window of a browser
  parentPort?.postMessage({ number: piece.number, outcomes: playPiece(piece) } satisfies Played);
});

function playPiece({ job, from, to }: Piece): Played['outcomes'] {
  const outcomes: Outcome[][] = [];
  for (let replicate = from; replicate < to; replicate += 1)
    for (const [rule, outcome] of played(job, replicate).entries()) (outcomes[rule] ??= []).push(outcome);
  return outcomes;
}

function played(job: Job, replicate: number): readonly Outcome[] {
  const rules = rulesOf(job);
  return job.kind === 'braking'
    ? rules.map((rule) => playBraking(job.scenario, rule, replicate))
    : playTogether(job.scenario, rules, replicate);
}
