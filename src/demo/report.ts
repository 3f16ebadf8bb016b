/** Draws up what the demo has shown, from what was counted, and says what of its claims does not hold. Pure. */
import type { LoadCounts } from './load.ts';
import { shopReplicas } from './shop.ts';
import { type Told, versions } from './story.ts';
import type { WeightLog } from './weights.ts';

export interface Report {
  /** What was counted, and how much. */
  readonly rows: readonly (readonly [string, string])[];
  /** Sentences; empty when everything holds that the demo claims. */
  readonly broken: readonly string[];
}

export interface Seen {
  readonly told: Told;
  readonly weights: Pick<WeightLog, 'firstLoweringAfter' | 'firstZeroAfter'>;
  /** The version of each pod that was started. */
  readonly pods: readonly string[];
}

export function reportOf({ told, weights, pods }: Seen): Report {
  const { counts } = told;
  const harmed = counts.versions.get(versions.bad)?.bad ?? 0;
  const lost = lostIn(counts);
  const { firstBadMs = 0, lastAnswerMs } = counts.versions.get(versions.bad) ?? {};
  const loweredMs = weights.firstLoweringAfter(firstBadMs)?.atMs;
  const zeroMs = weights.firstZeroAfter(firstBadMs)?.atMs;
  const started = (version: string): number => pods.filter((one) => one === version).length;
  return {
    rows: [
      ['requests', whole(counts.sent)],
      ...heldBackIn(counts),
      [`harmed by the bad version (${versions.bad})`, `${whole(harmed)} (${percentOf(harmed, counts.sent)})`],
      ['lost for any other reason', whole(lost)],
      ['first bad answer to the brake', after(firstBadMs, loweredMs)],
      ['first bad answer to weight 0', after(firstBadMs, zeroMs)],
      [`first bad answer to the last of ${versions.bad}`, after(firstBadMs, lastAnswerMs)],
      [
        'pods created',
        Object.values(versions)
          .map((version) => `${started(version)} of ${version}`)
          .join(', '),
      ],
    ],
    broken: [
      ...(lost === 0 ? [] : [`${whole(lost)} requests were lost, and none should be${troublesIn(counts)}`]),
      ...(zeroMs === undefined ? ['the weight of the bad version was never seen at 0'] : []),
      ...(started(versions.good) === shopReplicas
        ? []
        : [`${started(versions.good)} pods of ${versions.good} were created, and ${shopReplicas} are needed`]),
    ],
  };
}

/** Without an answer, answered by the gateway because no pod did, or failed by a version that does not fail. */
export function lostIn({ sent, answered, refused, versions: seen }: LoadCounts): number {
  const otherBad = [...seen].reduce((sum, [version, { bad }]) => (version === versions.bad ? sum : sum + bad), 0);
  return sent - answered + refused + otherBad;
}

/** Told only where there is something to tell: a machine with time to spare sends them all. */
function heldBackIn({ heldBack, sent }: LoadCounts): readonly (readonly [string, string])[] {
  const share = percentOf(heldBack, heldBack + sent);
  return heldBack === 0 ? [] : [['never sent: this machine had no time', `${whole(heldBack)} (${share})`]];
}

/** What the sender and the gateway said about them. */
function troublesIn({ troubles }: LoadCounts): string {
  const told = [...troubles].map(([why, times]) => `${whole(times)} times ${why}`);
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

function after(fromMs: number, toMs: number | undefined): string {
  return toMs === undefined ? 'never' : `${((toMs - fromMs) / 1000).toFixed(1)} s`;
}

function percentOf(part: number, all: number): string {
  return `${all === 0 ? 0 : ((part / all) * 100).toFixed(2)} %`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}
