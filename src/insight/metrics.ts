/** Owns what Serin counts about itself for Prometheus; it never decides anything and its label sets are closed, so no object of a user can make it grow. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PHASES, type Phase } from '../api/reasons.ts';
import type { ReleaseOutcome } from '../api/release-record.ts';
import type { Effect } from '../release/decision.ts';

/** How one look at one Rollout ended. */
export type LookResult = 'quiet' | 'acted' | 'waited' | 'conflict' | 'failed';
/** How one question to a metric source ended. */
export type PollResult = 'answered' | 'refused' | 'failed';

/** What came of a change of a flag: each step that succeeded once, and each try that did not. */
export type FlagChangeResult = 'applied' | 'served' | 'reverted' | 'keptByOthers' | 'failed';
/** Of which kind the FlagSource is; `unknown` where there is none that can be used. */
export type FlagBackendKind = 'featureFlag' | 'flagdFile' | 'unleash' | 'http' | 'flipt' | 'unknown';

export interface Metrics {
  readonly registry: Registry;
  releaseEnded(outcome: ReleaseOutcome): void;
  /** Number of Rollouts in each phase; phases left out have none. */
  phases(counts: ReadonlyMap<Phase, number>): void;
  looked(seconds: number, result: LookResult): void;
  /** One answered request; `code` 0 when there was no answer. `pathTemplate` has no names in it. */
  apiRequest(method: string, pathTemplate: string, code: number): void;
  writeConflict(): void;
  effectFailed(kind: Effect['kind']): void;
  eventsDropped(count: number): void;
  watchRestarted(resource: string): void;
  /** Rollouts whose turn it is. */
  queueDepth(keys: number): void;
  /** Rollouts that are to be looked at later. */
  queueWaiting(keys: number): void;
  /** `source` is the name of a MetricSource; the platform team writes those, so their number is bounded. */
  judgePolled(source: string, result: PollResult): void;
  guardBypassed(): void;
  flagChanged(source: FlagBackendKind, result: FlagChangeResult): void;
}

const outcomes: Readonly<Record<ReleaseOutcome, true>> = {
  Promoted: true,
  RolledBack: true,
  Superseded: true,
  Cancelled: true,
  Detached: true,
  Aborted: true,
  NotJudged: true,
  Bypassed: true,
  Escaped: true,
  Unknown: true,
};

const effectKinds: Readonly<Record<Effect['kind'], true>> = {
  addFinalizer: true,
  removeFinalizer: true,
  attach: true,
  proveGuard: true,
  rehearse: true,
  check: true,
  flag: true,
  dropFlag: true,
  hold: true,
  guardByPause: true,
  resume: true,
  detach: true,
  createRecord: true,
  endRecord: true,
  pin: true,
  unpin: true,
  createCanaryService: true,
  deleteCanaryService: true,
  createCanary: true,
  scale: true,
  deleteReplicaSet: true,
  split: true,
  setMaxSurge: true,
  handOver: true,
  clearMarks: true,
  answerAction: true,
};

const flagBackends: Readonly<Record<FlagBackendKind, true>> = {
  featureFlag: true,
  flagdFile: true,
  unleash: true,
  http: true,
  flipt: true,
  unknown: true,
};

const flagResults: Readonly<Record<FlagChangeResult, true>> = {
  applied: true,
  served: true,
  reverted: true,
  keptByOthers: true,
  failed: true,
};

const lookResults: readonly LookResult[] = ['quiet', 'acted', 'waited', 'conflict', 'failed'];

/** Every series that can be named in advance is there from the first scrape with 0, so that a rate sees the first event. */
export function createMetrics(options: { readonly withProcess?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });
  return countingIn(registry);
}

function countingIn(registry: Registry): Metrics {
  const registers = [registry];
  const releases = new Counter({
    name: 'serin_releases_total',
    help: 'Releases that ended, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const phase = new Gauge({
    name: 'serin_rollout_phase',
    help: 'Rollouts in each phase.',
    labelNames: ['phase'],
    registers,
  });
  const looks = new Histogram({
    name: 'serin_reconcile_seconds',
    help: 'Time of one look at one Rollout with everything it led to, by how it ended.',
    labelNames: ['result'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const requests = new Counter({
    name: 'serin_api_requests_total',
    help: 'Requests to the API server by verb, resource and HTTP status; code 0 means that no answer came.',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  const conflicts = counter(
    registers,
    'serin_write_conflicts_total',
    'Writes that the API server refused because the object had changed since it was seen.',
  );
  const effects = new Counter({
    name: 'serin_effect_errors_total',
    help: 'Effects that failed and are tried again, by kind.',
    labelNames: ['effect'],
    registers,
  });
  const dropped = counter(
    registers,
    'serin_events_dropped_total',
    'Kubernetes Events that were not written because too many were waiting.',
  );
  const restarts = new Counter({
    name: 'serin_watch_restarts_total',
    help: 'Watches that were opened again after an error or silence.',
    labelNames: ['resource'],
    registers,
  });
  const depth = new Gauge({ name: 'serin_queue_depth', help: 'Rollouts whose turn it is to be looked at.', registers });
  const waiting = new Gauge({
    name: 'serin_queue_waiting',
    help: 'Rollouts that are to be looked at later.',
    registers,
  });
  const polls = new Counter({
    name: 'serin_judge_polls_total',
    help: 'Questions to metric sources by source and result: answered, refused by HTTP status, or failed on the way.',
    labelNames: ['source', 'result'],
    registers,
  });
  const bypassed = counter(
    registers,
    'serin_guard_bypassed_total',
    'Templates that rolled out by themselves although their Deployment was attached.',
  );

  const flagChanges = new Counter({
    name: 'serin_flag_changes_total',
    help: 'Changes of feature flags by kind of source and result: applied, seen served, put back, left to whoever changed it since, and tries that failed.',
    labelNames: ['source', 'result'],
    registers,
  });

  for (const source of Object.keys(flagBackends))
    for (const result of Object.keys(flagResults)) flagChanges.inc({ source, result }, 0);
  for (const outcome of Object.keys(outcomes)) releases.inc({ outcome }, 0);
  for (const name of Object.keys(PHASES)) phase.set({ phase: name }, 0);
  for (const result of lookResults) looks.zero({ result });
  for (const effect of Object.keys(effectKinds)) effects.inc({ effect }, 0);

  return {
    registry,
    releaseEnded: (outcome) => releases.inc({ outcome }),
    phases: (counts) => {
      for (const name of Object.keys(PHASES) as Phase[]) phase.set({ phase: name }, counts.get(name) ?? 0);
    },
    looked: (seconds, result) => looks.observe({ result }, seconds),
    apiRequest: (method, pathTemplate, code) =>
      requests.inc({ verb: method, resource: resourceOf(pathTemplate), code: String(code) }),
    writeConflict: () => conflicts.inc(),
    effectFailed: (effect) => effects.inc({ effect }),
    eventsDropped: (count) => dropped.inc(count),
    watchRestarted: (resource) => restarts.inc({ resource }),
    queueDepth: (keys) => depth.set(keys),
    queueWaiting: (keys) => waiting.set(keys),
    judgePolled: (source, result) => polls.inc({ source, result }),
    guardBypassed: () => bypassed.inc(),
    flagChanged: (source, result) => flagChanges.inc({ source, result }),
  };
}

function counter(registers: Registry[], name: string, help: string): Counter {
  const made = new Counter({ name, help, registers });
  made.inc(0);
  return made;
}

/** "/apis/apps/v1/deployments/status" → "deployments/status". */
function resourceOf(pathTemplate: string): string {
  const parts = pathTemplate.split('/').filter((part) => part !== '');
  const skipped = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : 0;
  return parts.slice(skipped).join('/') || 'other';
}
