/** Words and tables of `serin plan`; it adds nothing to the plan. */
import type { EffectiveMetric, EffectiveRung } from '../api/effective.ts';
import { rungWords } from '../release/stages/ladder-words.ts';
import { percent } from '../release/weights.ts';
import type { Finding } from './check/finding.ts';
import type { Proof } from './check/proof.ts';
import { futility, proofTable, trafficWords } from './check/proof-text.ts';
import type { SourceSight } from './plan-sight.ts';
import type { ReleasePlan } from './release-plan.ts';
import { spanOf, tableOf } from './table.ts';
import { painted, type Terminal } from './terminal.ts';

export interface WholePlan extends ReleasePlan {
  readonly source: SourceSight;
  /** What the traffic of now can prove. */
  readonly proof: Proof | undefined;
  /** Why that is not known, one sentence each; empty where there is nothing to look at. */
  readonly notProven: readonly string[];
  /** Whether the flags that it names can be changed. */
  readonly flags: readonly Finding[];
  /** A release is under way with the settings it began with. */
  readonly isRunning: boolean;
  readonly notes: readonly string[];
}

export function planLines(plan: WholePlan, terminal: Pick<Terminal, 'hasColour'>): string[] {
  const title = (text: string): string => painted(terminal, 'bold', text);
  return [
    `Rollout ${plan.namespace}/${plan.rollout} of Deployment ${plan.effective.target.name}, ${replicasOf(plan)}`,
    ...(plan.isRunning
      ? ['A release is under way with the settings it began with; this plan is for the next one.']
      : []),
    '',
    title('Steps'),
    ...indented(stepTable(plan)),
    ...indented(pods(plan)),
    '',
    title('Judge'),
    ...indented(judge(plan)),
    '',
    title('Traffic'),
    ...indented(traffic(plan)),
    ...proofOfNow(plan, title),
    ...flagLines(plan, title),
    '',
    ...(plan.refusals.length === 0
      ? ['Nothing that can be seen from here stands in the way of a release.']
      : [
          painted(terminal, 'red', 'In the way'),
          ...indented(plan.refusals.map(({ reason, message }) => `${reason}: ${message}`)),
        ]),
    ...plan.notes.map((note) => `Note: ${note}.`),
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function replicasOf({ replicas }: ReleasePlan): string {
  return replicas === undefined ? 'number of replicas unknown' : `${replicas} replica${replicas === 1 ? '' : 's'}`;
}

function stepTable({ steps }: ReleasePlan): string[] {
  const rows = steps.map((step, index) => [
    step.kind === 'step' ? String(index + 1) : step.kind === 'bake' ? 'bake' : `${index + 1}, ${step.kind}`,
    percent(step.weightPercent),
    step.canaryPods?.toString(),
    step.totalPods?.toString(),
    spanOf(step.atLeastMs),
  ]);
  return tableOf(['STEP', 'WEIGHT', 'CANARY PODS', 'ALL PODS', 'AT LEAST'], rows);
}

function pods({ peakPods, replicas, shortestMs }: ReleasePlan): string[] {
  return [
    peakPods === undefined
      ? 'pods: not known without the Deployment'
      : `at its peak ${peakPods} pods, ${peakPods - (replicas ?? 0)} more than at rest`,
    `from the first weight to the handover at least ${spanOf(shortestMs)}, plus the time that pods and gateways take`,
    ...(replicas === 1 ? ['with 1 replica a bad pod cannot be told from a bad version'] : []),
  ];
}

function judge({ effective, source }: WholePlan): string[] {
  const { analysis } = effective;
  const { whenUnsure, onSourceDown, mode } = analysis;
  if (source.kind === 'none')
    return [
      'no MetricSource: only readiness and restarts are watched',
      `each step waits ${spanOf(whenUnsure.afterMs)}, then: ${whenUnsure.do}`,
    ];
  return [
    sourceLine(source),
    ...analysis.metrics.map(metricLine),
    mode === 'observe'
      ? 'mode observe: what the judge says is told, and nothing is done about it; steps go on by time'
      : `${effective.onAnomaly[0]?.kind === 'rollback' ? 'rolled back' : 'acted upon'} when it is ${analysis.confidencePercent}% sure that it is worse than tolerated`,
    ...ladderLines(effective),
    `a step ends when enough is ruled out; with too few requests after ${spanOf(whenUnsure.afterMs)}: ${whenUnsure.do}`,
    `metric source silent for ${spanOf(onSourceDown.afterMs)}: ${onSourceDown.do}`,
  ];
}

/** Nothing where all that is done about harm is to go back. */
function ladderLines({ analysis, onAnomaly }: WholePlan['effective']): string[] {
  if (analysis.mode === 'observe' || onAnomaly[0]?.kind === 'rollback') return [];
  return [`then, one after the other while harm goes on: ${onAnomaly.map(timedWords).join('; ')}`];
}

/** With how long each may take, which is not said while one is under way. */
function timedWords(rung: EffectiveRung): string {
  if (rung.kind === 'flag')
    return `flag ${rung.name} of ${rung.source} to ${rung.variant}, observed for ${spanOf(rung.observeMs)} at most`;
  return rung.kind === 'observe' ? `observe for ${spanOf(rung.forMs)}` : rungWords(rung);
}

/** Which flags may be changed, and what stands in the way of that. */
function flagLines({ effective, flags }: WholePlan, title: (text: string) => string): string[] {
  const steps = effective.strategy.steps.flatMap(({ flag }, index) =>
    flag === undefined
      ? []
      : [
          `step ${index + 1} turns ${flag.name} of ${flag.source} to ${flag.variant}${flag.percent === undefined ? '' : ` for ${flag.percent}% of users`}`,
        ],
  );
  const lines = [...steps, ...flags.map(({ message }) => message)];
  return lines.length === 0 ? [] : ['', title('Flags'), ...indented(lines)];
}

function metricLine(metric: EffectiveMetric): string {
  switch (metric.kind) {
    case 'errors':
      return `errors: tolerated ${metric.tolerate}, to be ruled out before a step ${metric.ruleOut}`;
    case 'restarts':
      return 'restarts: no more than the old version has, for the time that pods run; to be ruled out before a step 2x + one of a pod in 5m';
    case 'latency': {
      const slow = metric.thresholdMs === undefined ? '' : `, slow is more than ${metric.thresholdMs}ms`;
      return `latency: tolerated ${metric.tolerate}${slow}, to be ruled out before a step ${metric.ruleOut}`;
    }
    case 'counters':
      return `${metric.name}: ${metric.bad} of ${metric.total}, tolerated ${metric.tolerate}, to be ruled out before a step ${metric.ruleOut}`;
    case 'threshold':
      return `${metric.name}: ${metric.query}, ${metric.max === undefined ? `at least ${metric.min}` : `at most ${metric.max}`}, in 3 of 5 looks`;
    case 'cost':
      return `cost: ${dearerWords(metric)}; needs 4 pods in all that count their requests and CPU, and about five minutes at a weight near the share of the pods`;
    case 'price':
      return `${metric.name}: ${metric.unitPrice} for each count of ${metric.counter}, ${dearerWords(metric)}; needs 4 pods in all and about five minutes`;
    default:
      return metric satisfies never;
  }
}

function dearerWords({
  tolerate,
  maxExtraPerMonth,
  do: answer,
}: Extract<EffectiveMetric, { kind: 'cost' | 'price' }>): string {
  return `tolerated ${tolerate} or ${maxExtraPerMonth} a month more, beyond both: ${answer}`;
}

function sourceLine(source: Exclude<SourceSight, { kind: 'none' }>): string {
  if (source.kind === 'unknown') return 'read from the default MetricSource if there is one (not looked at)';
  return source.exists === false
    ? `MetricSource ${source.name} does not exist: create it or correct analysis.source`
    : `read from MetricSource ${source.name}`;
}

/** Without routes the weights are whole pods, which is worth a sentence: 5% of 4 pods is one pod of five. */
function split(routes: ReleasePlan['effective']['traffic']['routes'], service: string | undefined): string {
  if (service === undefined)
    return 'no Service: the share of the work is the share of the pods, one pod at least and half of them at most';
  if (routes.length === 0)
    return `no routes: Service ${service} takes in the pods of both versions from the first step on, and the share of the requests is the share of the pods: one pod at least, half of them at most`;
  const names = routes.map((route) => `${route.kind} ${route.name}`).join(', ');
  return `${names}: requests for Service ${service} are split between it and ${service}-canary`;
}

function traffic({ effective, pinned, reachable }: ReleasePlan): string[] {
  const { service, routes, drainMs } = effective.traffic;
  return [
    split(routes, service),
    ...(pinned.length === 0 ? [] : [`kept on the old version during a release: Service ${pinned.join(', ')}`]),
    ...(reachable.length === 0 ? [] : [`reaches both versions at once: Service ${reachable.join(', ')}`]),
    `old pods stay ${spanOf(drainMs)} after their last request could arrive`,
  ];
}

function proofOfNow({ proof, notProven }: WholePlan, title: (text: string) => string): string[] {
  if (proof === undefined && notProven.length === 0) return [];
  const lines =
    proof === undefined ? notProven : [trafficWords(proof.traffic), ...proofTable(proof), ...futility(proof)];
  return ['', title('Proof'), ...indented(lines)];
}
