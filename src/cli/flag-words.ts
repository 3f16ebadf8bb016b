/** Says in lines which flags Serin changed for a Rollout and what it is doing about harm; it only reads the journal. */
import type { FlagEntry, Ladder, RolloutStatus } from '../api/rollout-status.ts';
import type { RolloutObject } from './objects.ts';
import { spanOf } from './table.ts';

interface FlagTelling {
  readonly nowMs: number;
  readonly programName: string;
}

/** One line for each change of a flag that is not over, with whose move it is. Empty when there is none. */
export function flagLines({ metadata, status }: RolloutObject, telling: FlagTelling): string[] {
  const flags = status?.journal?.flags ?? [];
  const lines = flags.map((entry) => flagLine(entry, telling.nowMs));
  if (!flags.some(({ state }) => state === 'latched' || state === 'failed')) return lines;
  const { namespace = '', name } = metadata;
  return [
    ...lines,
    `to put back what stays as Serin changed it: ${telling.programName} restore-flags ${name} -n ${namespace}`,
  ];
}

/** One change of a flag: which, what is served, how far it has come and since when. */
export function flagLine(entry: FlagEntry, nowMs: number): string {
  const { flag, source, variant, percent, sinceMs, message } = entry;
  const share = percent === undefined ? '' : ` for ${percent}% of users`;
  const head = `flag ${flag} of ${source}, ${variant}${share}: ${states[entry.state](entry)}, for ${spanOf(nowMs - sinceMs)}`;
  return message === undefined ? head : `${head}. ${message}`;
}

const because = { anomaly: 'because of harm', step: 'by a step of the release' } as const;

/** Behind the name of the flag and what is to be served. */
const states: Readonly<Record<FlagEntry['state'], (entry: FlagEntry) => string>> = {
  planning: () => 'being read, nothing was written',
  planned: ({ why }) => `being changed ${because[why]}`,
  served: ({ why }) => `served ${because[why]}`,
  latched: () => 'served, it was the cause of harm and stays so until a person puts it back',
  reverting: () => 'being put back',
  reverted: () => 'put back',
  kept: () => 'changed by somebody else since, and left alone',
  failed: () => 'could not be put back in time, somebody has to do it',
};

/** What is being done about harm, and what each rung came to, oldest first. Empty when nothing is. */
export function ladderLines(status: RolloutStatus | undefined, nowMs: number): string[] {
  const { attempt } = status?.journal ?? {};
  const { ladder } = attempt ?? {};
  if (attempt === undefined || ladder === undefined) return [];
  const done = ladder.done.map(({ kind, atMs, sentence }) => `${kind}, ${spanOf(nowMs - atMs)} ago: ${sentence}`);
  const present =
    ladder.endedAtMs === undefined ? [presentLine(ladder, attempt.spec.onAnomaly[ladder.rung]?.kind, nowMs)] : [];
  const end =
    ladder.endedAtMs === undefined ? [] : [`over for ${spanOf(nowMs - ladder.endedAtMs)}: the release went on`];
  return [
    `because of ${ladder.cause.reason}: ${ladder.cause.message}`,
    ...done,
    ...present,
    ...end,
    ...changeLines(ladder),
  ];
}

function presentLine({ sinceMs, observeFromMs }: Ladder, kind: string | undefined, nowMs: number): string {
  const what = kind ?? 'flags that steps turned on are turned back';
  const observed =
    observeFromMs === undefined ? '' : `, fresh evidence is looked at for ${spanOf(nowMs - observeFromMs)}`;
  return `now: ${what}, for ${spanOf(nowMs - sinceMs)}${observed}`;
}

/** What changed in the evidence. */
function changeLines({ before, after }: Ladder): string[] {
  if (before === undefined) return [];
  const metric = before.culprit === undefined ? '' : ` (${before.culprit})`;
  const then = `extra bad requests before${metric}: ${shareOf(before.excess)}, ${before.canaryErrors} of ${before.canaryRequests}`;
  return [
    after === undefined
      ? then
      : `${then}; after: ${shareOf(after.excess)}, ${after.canaryErrors} of ${after.canaryRequests}`,
  ];
}

function shareOf(share: number): string {
  return `${(share * 100).toFixed(share !== 0 && Math.abs(share) < 0.001 ? 3 : 1)}%`;
}
