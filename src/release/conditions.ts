/** Turns a report into the conditions that kstatus, kubectl wait, Flux and Argo CD read; knows no more than the report. */
import type { Condition } from '../api/rollout-status.ts';
import type { Answer } from '../analysis/answer.ts';
import type { Report } from './decision.ts';
import type { Guard } from './world.ts';

export interface ConditionContext {
  readonly generation: number;
  /** RFC 3339, for conditions whose status changes. */
  readonly nowIso: string;
  readonly guard: Guard;
  /** Undefined while nothing is being judged. */
  readonly judged: Answer | undefined;
}

type Status = Condition['status'];
interface Claim {
  readonly type: Condition['type'];
  readonly status: Status;
  readonly reason: string;
  readonly message: string;
}

export function conditionsFor(report: Report, previous: readonly Condition[], context: ConditionContext): Condition[] {
  const claims = [ready(report), reconciling(report), stalled(report), guarded(context), ...judged(context)];
  return claims.map((claim) => {
    const before = previous.find((one) => one.type === claim.type);
    const lastTransitionTime =
      before !== undefined && before.status === claim.status ? before.lastTransitionTime : context.nowIso;
    return { ...claim, lastTransitionTime, observedGeneration: context.generation };
  });
}

function ready(report: Report): Claim {
  const isReady = report.phase === 'Idle' && !report.stalled;
  return { type: 'Ready', status: isReady ? 'True' : 'False', reason: report.reason, message: report.message };
}

function reconciling(report: Report): Claim {
  const isBusy = !report.stalled && report.phase !== 'Idle';
  return {
    type: 'Reconciling',
    status: isBusy ? 'True' : 'False',
    reason: report.reason,
    message: isBusy ? report.message : '',
  };
}

function stalled(report: Report): Claim {
  return {
    type: 'Stalled',
    status: report.stalled ? 'True' : 'False',
    reason: report.reason,
    message: report.stalled ? report.message : '',
  };
}

const GUARDS: Readonly<Record<Guard, Omit<Claim, 'type'>>> = {
  admission: {
    status: 'True',
    reason: 'AdmissionGuard',
    message: 'A new template is held by admission policy in the write that brings it.',
  },
  pause: {
    status: 'True',
    reason: 'PauseGuard',
    message:
      'The Deployment stays paused while it is attached, so that no template rolls out by itself; admission policy does not hold one here.',
  },
  absent: {
    status: 'False',
    reason: 'GuardAbsent',
    message: 'A dry-run shows that a new template would not be held.',
  },
  unknown: { status: 'Unknown', reason: 'NotTried', message: 'The guard was not tried yet.' },
};

/** The guard that a reason of the condition Guarded tells of. */
export function guardShown(reason: string | undefined): Guard {
  return (Object.keys(GUARDS) as Guard[]).find((guard) => GUARDS[guard].reason === reason) ?? 'unknown';
}

function guarded({ guard }: ConditionContext): Claim {
  return { type: 'Guarded', ...GUARDS[guard] };
}

function judged({ judged: answer }: ConditionContext): readonly Claim[] {
  if (answer === undefined) return [];
  switch (answer.kind) {
    case 'judged':
      return [
        {
          type: 'Judged',
          status: 'True',
          reason: answer.judge === 'bake' ? 'AgainstHistory' : 'AgainstStable',
          message: answer.sentence,
        },
      ];
    case 'noSource':
      return [
        {
          type: 'Judged',
          status: 'False',
          reason: 'NoSource',
          message: 'No metric source is configured; only readiness and restarts are watched.',
        },
      ];
    case 'noEvidence':
      return [
        {
          type: 'Judged',
          status: 'Unknown',
          reason: answer.reason === 'noSeries' ? 'NoSeries' : 'Waiting',
          message: answer.sentence,
        },
      ];
    case 'sourceDown':
      return [{ type: 'Judged', status: 'Unknown', reason: 'SourceDown', message: answer.sentence }];
    default:
      return answer satisfies never;
  }
}
