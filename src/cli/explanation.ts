/** Words and tables of `serin explain`, section by section; a section without content is left out. */
import { moveOf } from '../api/reasons.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { percent } from '../release/weights.ts';
import { readEvidence } from './evidence.ts';
import { evidenceLines } from './explanation-evidence.ts';
import { flagLines, ladderLines } from './flag-words.ts';
import type { ReleaseRecordObject, RolloutObject } from './objects.ts';
import { ageOf, spanOf, tableOf } from './table.ts';
import { painted, type Terminal } from './terminal.ts';

export interface Telling {
  readonly nowMs: number;
  readonly programName: string;
  readonly terminal: Pick<Terminal, 'hasColour'>;
}

export function explanationOf(
  rollout: RolloutObject,
  records: readonly ReleaseRecordObject[],
  telling: Telling,
): string[] {
  const { status } = rollout;
  const sections = [
    { title: undefined, lines: summary(rollout) },
    { title: 'Revisions', lines: revisions(status, telling.nowMs) },
    {
      title: status?.canary === undefined ? 'Judge, in the last release' : 'Judge',
      lines: judge(status, telling.nowMs),
    },
    { title: 'About the harm', lines: ladderLines(status, telling.nowMs) },
    { title: 'Flags', lines: flagLines(rollout, telling) },
    { title: 'Waiting for', lines: waiting(status, telling.nowMs) },
    { title: 'Quarantined', lines: quarantines(rollout, telling) },
    { title: 'History', lines: history(records, telling.nowMs) },
  ];
  return sections
    .filter((section) => section.lines.length > 0)
    .flatMap(({ title, lines }, index) => [
      ...(index === 0 ? [] : ['']),
      ...(title === undefined ? [] : [painted(telling.terminal, 'bold', title)]),
      ...(title === undefined ? lines : lines.map((line) => `  ${line}`)),
    ]);
}

function summary({ metadata, spec, status }: RolloutObject): string[] {
  const head = `Rollout ${metadata.namespace ?? ''}/${metadata.name} of Deployment ${spec.targetRef.name}`;
  if (status?.phase === undefined) return [`${head}: Serin has not looked at it yet; is the operator running?`];
  const why = status.reason === undefined || status.reason === status.phase ? '' : `, ${status.reason}`;
  return [`${head}: ${status.phase}${why}`, ...(status.message === undefined ? [] : [status.message]), ...move(status)];
}

const moves = {
  serin: "Serin's move: it goes on by itself.",
  user: 'Your move: nothing changes until somebody acts or the world is right again.',
  none: undefined,
} as const;

function move({ phase, reason, conditions = [] }: RolloutStatus): string[] {
  const isStalled = conditions.some(({ type, status }) => type === 'Stalled' && status === 'True');
  const whose = moveOf({ phase, reason, isStalled });
  const sentence = whose === undefined ? undefined : moves[whose];
  return sentence === undefined ? [] : [sentence];
}

function revisions(status: RolloutStatus | undefined, nowMs: number): string[] {
  const { stable, canary, step } = status ?? {};
  const rows = [
    ...(stable === undefined
      ? []
      : [
          [
            'stable',
            stable.hash,
            stable.image,
            canary === undefined ? '100%' : percent(100 - canary.weight),
            `since ${ageOf(stable.since, nowMs) ?? 'an unknown time'}`,
          ],
        ]),
    ...(canary === undefined
      ? []
      : [
          [
            'canary',
            canary.hash,
            canary.image,
            percent(canary.weight),
            `${canary.ready} of ${canary.replicas} pods ready${step === undefined ? '' : `, step ${step}`}`,
          ],
        ]),
  ];
  return rows.length === 0
    ? []
    : tableOf(
        ['VERSION', 'REVISION', 'IMAGE', 'REQUESTS', 'STATE'],
        rows.map((row) => row.map((cell) => cell)),
      );
}

function judge(status: RolloutStatus | undefined, nowMs: number): string[] {
  const condition = status?.conditions?.find((one) => one.type === 'Judged');
  const evidence = readEvidence(status?.evidence);
  return [
    ...(condition === undefined || condition.message === '' ? [] : [`${condition.reason}: ${condition.message}`]),
    ...(evidence === undefined ? [] : evidenceLines(evidence, nowMs, status?.canary !== undefined)),
  ];
}

function waiting(status: RolloutStatus | undefined, nowMs: number): string[] {
  const at = status?.nextTransitionAt;
  if (at === undefined) return [];
  const leftMs = Date.parse(at) - nowMs;
  return [
    leftMs > 0
      ? `something happens by itself in ${spanOf(leftMs)} at the latest (${at})`
      : `something was due at ${at}; Serin is late or busy`,
  ];
}

function quarantines({ metadata, status }: RolloutObject, { nowMs, programName }: Telling): string[] {
  return (status?.quarantined ?? []).flatMap((entry) => [
    `${entry.hash}  ${entry.reason}, ${ageOf(entry.at, nowMs) ?? '-'} ago: ${entry.message}`,
    `  to let it run again: ${programName} retry ${metadata.name} -n ${metadata.namespace ?? ''} --revision ${entry.hash} --reason "..."`,
  ]);
}

function history(records: readonly ReleaseRecordObject[], nowMs: number): string[] {
  if (records.length === 0) return [];
  const rows = records
    .slice(0, 10)
    .map(({ spec, status }) => [
      String(spec.attempt),
      spec.revision,
      status?.outcome ?? 'under way',
      status?.reason,
      ageOf(status?.endedAt, nowMs),
      status?.message,
    ]);
  return tableOf(['ATTEMPT', 'REVISION', 'OUTCOME', 'REASON', 'ENDED', 'MESSAGE'], rows);
}
