// Decides whether a new version costs more than is tolerated, from what its pods use and what that costs. What is missing is
// unknown, and never nothing; a version once found dearer stays so for the attempt.
import type { CostView } from './answer.ts';
import { type PodUse, type UseTerms, openUse, useAfter } from './efficiency.ts';
import { type Finding, priceFinding, resourceFinding } from './cost-findings.ts';
import type { CostFacts, CostState, CostTerms } from './cost-terms.ts';

export { costName } from './cost-terms.ts';
export type { CostFacts, CostState, CostTerms } from './cost-terms.ts';

/** Pinned for an attempt. At least one of the terms; names are distinct. */
export interface CostSettings {
  readonly metrics: readonly CostTerms[];
  /** Odds, in logarithms, that holding needs, and going back. */
  readonly logHold: number;
  readonly logRollback: number;
}

/** What pods used in one block. */
export interface CostBlock {
  readonly lengthMs: number;
  readonly cpu: readonly PodUse[];
  readonly memory: readonly PodUse[];
  readonly units: Readonly<Record<string, readonly PodUse[]>>;
  /** Requests a second to both versions. */
  readonly traffic: number;
}

export function openCost({ metrics }: CostSettings): CostState {
  const priced = metrics.filter(({ unitPrice }) => unitPrice !== undefined);
  return {
    cpu: openUse(),
    memory: openUse(),
    units: Object.fromEntries(priced.map(({ name }) => [name, openUse()])),
    traffic: undefined,
    dearer: undefined,
  };
}

const newest = 0.25;

export function costAfter(state: CostState, block: CostBlock, settings: CostSettings): CostState {
  const { lengthMs } = block;
  const resources = settings.metrics.find(({ unitPrice }) => unitPrice === undefined);
  const terms = (metric: CostTerms, hasIdle: boolean): UseTerms => ({
    tolerateRatio: metric.tolerateRatio,
    hasIdle,
    logGoal: goalOf(metric, settings),
  });
  const units = Object.entries(state.units).map(([name, unit]) => {
    const metric = settings.metrics.find((one) => one.name === name);
    return [name, metric ? useAfter(unit, block.units[name] ?? [], lengthMs, terms(metric, false)) : unit] as const;
  });
  return {
    ...state,
    cpu: resources ? useAfter(state.cpu, block.cpu, lengthMs, terms(resources, true)) : state.cpu,
    memory: resources ? useAfter(state.memory, block.memory, lengthMs, terms(resources, false)) : state.memory,
    units: Object.fromEntries(units),
    traffic: state.traffic === undefined ? block.traffic : (1 - newest) * state.traffic + newest * block.traffic,
  };
}

/** What a verdict of harm takes: several metrics share the chance of being wrong. */
export function goalOf(metric: CostTerms, settings: CostSettings): number {
  return (metric.do === 'hold' ? settings.logHold : settings.logRollback) + Math.log(settings.metrics.length);
}

/** The state with what has to be remembered of the verdict, and the verdict. */
export function costVerdict(
  state: CostState,
  facts: CostFacts,
  settings: CostSettings,
): { readonly state: CostState; readonly view: CostView } {
  if (state.dearer) return { state, view: { state: 'dearer', ...state.dearer } };
  const findings = settings.metrics.map((metric) => ({ metric, ...findingOf(metric, state, facts, settings) }));
  // The strictest answer first.
  const [worst] = findings
    .filter((one) => one.state === 'dearer')
    .toSorted((one, other) => Number(other.metric.do === 'rollback') - Number(one.metric.do === 'rollback'));
  if (worst) {
    const dearer = { culprit: worst.metric.name, do: worst.metric.do, sentence: worst.sentence };
    return { state: { ...state, dearer }, view: { state: 'dearer', ...dearer } };
  }
  const unknown = findings.filter((one) => one.state === 'unknown');
  const said = unknown.length > 0 ? unknown : findings;
  const waits = unknown.some(({ isEarly }) => isEarly !== true) ? 'step' : 'promotion';
  const view: CostView = {
    state: unknown.length > 0 ? 'unknown' : 'fine',
    do: 'hold',
    sentence: said.map(({ sentence }) => sentence).join(' '),
    ...(unknown.length > 0 ? { waits } : {}),
  };
  return { state, view };
}

function findingOf(metric: CostTerms, state: CostState, facts: CostFacts, settings: CostSettings): Finding {
  const logGoal = goalOf(metric, settings);
  const { unitPrice, name } = metric;
  if (unitPrice === undefined) return resourceFinding(state, facts, metric, logGoal);
  return priceFinding(state.units[name] ?? openUse(), state.traffic, facts, { ...metric, unitPrice }, logGoal);
}
