// Decides, of one thing that costs money, whether the new version is dearer, fine, or nothing can be said, and says it in a
// sentence with its figures. It remembers nothing.
import { type CostFacts, type CostState, type CostTerms, costName } from './cost-terms.ts';
import {
  type UseRatio,
  type UseState,
  fewestPods,
  logNeedsMore,
  logRuledOut,
  ruledOutRatio,
  spreadWithin,
  useRatio,
} from './efficiency.ts';
import { logMean, slack } from './mixture.ts';
import {
  type Need,
  type PodShape,
  type Prices,
  type Scaling,
  hoursPerMonth,
  moneyWords,
  monthlyCost,
  monthlyCpu,
  monthlyMemory,
  replicasFor,
} from './money.ts';
import { logFinalAccept } from './settings.ts';
import { oddsWords } from './words.ts';

export interface Finding {
  readonly state: 'fine' | 'dearer' | 'unknown';
  readonly sentence: string;
  /** Unknown because the weight is small: a later one will tell. */
  readonly isEarly?: boolean;
}

/** Everything that is known when money can be spoken of. */
interface Known {
  readonly traffic: number;
  readonly shapes: { readonly canary: PodShape; readonly stable: PodShape };
  readonly scaling: Scaling;
  readonly prices: Prices;
  readonly source: string;
  readonly need: Need;
}

/** CPU, memory and what is set aside for the pods. */
export function resourceFinding(state: CostState, facts: CostFacts, metric: CostTerms, logGoal: number): Finding {
  const known = knownOf(state, facts);
  if (typeof known === 'string') return unknown('Cost', known);
  const { shapes, scaling, prices, need } = known;
  const monthly = (shape: PodShape, one: Need) => monthlyCost(scaling, shape, one, prices);
  const stable = monthly(shapes.stable, need);
  const reshaped = monthly(shapes.canary, need);
  // No statistics are needed for what the templates say.
  if (reshaped > stable * metric.tolerateRatio && reshaped - stable > metric.maxExtraPerMonth)
    return { state: 'dearer', sentence: shapeSentence(known, stable, reshaped, metric) };
  const [cpu, memory] = driversOf(state, known);
  const logEvidence = logMean([logNeedsMore(state.cpu), logNeedsMore(state.memory)]);
  const isMoreCpu = logNeedsMore(state.cpu) >= logNeedsMore(state.memory);
  const driver = isMoreCpu ? cpu : memory;
  const use = isMoreCpu ? state.cpu : state.memory;
  const { ratio } = driver;
  const isShown = ratio !== undefined && logEvidence >= logGoal - slack && isCertain(ratio, use, metric);
  if (isShown && driver.extra(ratio.middle) > metric.maxExtraPerMonth)
    return { state: 'dearer', sentence: driverSentence(driver, ratio, known, stable, metric, logEvidence) };
  return fineOrUnknown(state, known, metric, stable, reshaped, cpu, memory);
}

/** A counter of the user's, for which so much is paid each. */
export function priceFinding(
  use: UseState,
  traffic: number | undefined,
  facts: CostFacts,
  metric: CostTerms & { readonly unitPrice: number },
  logGoal: number,
): Finding {
  const ratio = useRatio(use);
  const silence = facts.silence ?? facts.silent[metric.name] ?? silenceWords(use);
  if (ratio === undefined || use.stable === undefined || traffic === undefined || silence !== undefined)
    return unknown(`The price of ${metric.name}`, silence ?? warming, isEarly(use));
  const { currency } = facts.prices;
  const perRequest = use.stable.load > 0 ? use.stable.use / use.stable.load : 0;
  const stable = perRequest * traffic * 3600 * hoursPerMonth * metric.unitPrice;
  const extra = (by: number) => stable * (by - 1);
  const amounts = `about ${moneyWords(stable * ratio.middle, currency)} a month at 100% of the present traffic instead of ${moneyWords(stable, currency)}`;
  if (
    logNeedsMore(use) >= logGoal - slack &&
    isCertain(ratio, use, metric) &&
    extra(ratio.middle) > metric.maxExtraPerMonth
  )
    return {
      state: 'dearer',
      sentence: `The new version counts ${moreWords(ratio)} ${metric.name} for a request (evidence ${oddsWords(logNeedsMore(use))}), ${toleratedWords(metric, currency)}: ${amounts}, ${rangeWords(extra, ratio, currency)} more, at ${metric.unitPrice} ${currency} each.`,
    };
  if (isRuledOut(use) || extra(2) <= metric.maxExtraPerMonth)
    return { state: 'fine', sentence: `${metric.name} costs ${amounts}.` };
  return unknown(`The price of ${metric.name}`, waitingWords(use, ratio, metric));
}

interface Driver {
  readonly what: 'CPU for a request' | 'memory in a pod';
  /** Undefined before the first block. */
  readonly ratio: UseRatio | undefined;
  /** Money a month more when it is this many times stable's use: what is billed, or the price of what is used if that is more. */
  readonly extra: (ratio: number) => number;
  readonly billed: (ratio: number) => number;
  readonly replicas: (ratio: number) => number;
}

function driversOf(state: CostState, { shapes, scaling, prices, need }: Known): readonly [Driver, Driver] {
  const driver = (
    use: UseState,
    what: Driver['what'],
    scaled: (ratio: number) => Need,
    price: (ratio: number) => number,
  ): Driver => {
    const billed = (by: number) =>
      monthlyCost(scaling, shapes.canary, scaled(by), prices) - monthlyCost(scaling, shapes.stable, need, prices);
    const replicas = (by: number) => replicasFor(scaling, shapes.canary, scaled(by));
    return { what, ratio: useRatio(use), billed, replicas, extra: (by: number) => Math.max(billed(by), price(by)) };
  };
  const pods = replicasFor(scaling, shapes.stable, need);
  return [
    driver(
      state.cpu,
      'CPU for a request',
      (by) => ({ ...need, cpu: need.cpu * by }),
      (by) => monthlyCpu(need.cpu * (by - 1), prices),
    ),
    driver(
      state.memory,
      'memory in a pod',
      (by) => ({ ...need, memoryBytes: need.memoryBytes * by }),
      (by) => monthlyMemory(pods * need.memoryBytes * (by - 1), prices),
    ),
  ];
}

/** More than tolerated as far as can be told, and further from the old version than pods of one version are from each other. */
function isCertain(ratio: UseRatio, use: UseState, { tolerateRatio }: CostTerms): boolean {
  return ratio.middle > tolerateRatio && ratio.middle > spreadWithin(use);
}

function fineOrUnknown(
  state: CostState,
  known: Known,
  metric: CostTerms,
  stable: number,
  reshaped: number,
  cpu: Driver,
  memory: Driver,
): Finding {
  const isSmall = [cpu, memory].every(({ extra }) => extra(2) <= metric.maxExtraPerMonth);
  const isCpuFine = isRuledOut(state.cpu) || (isSmall && reshaped - stable <= metric.maxExtraPerMonth);
  const limit = ruledOutRatio(metric.tolerateRatio);
  // A young pod has less in its memory than an old one, so only more than that says something.
  const { middle = 1 } = memory.ratio ?? {};
  const isMemoryFine = middle <= limit || memory.extra(middle) <= metric.maxExtraPerMonth;
  const silence = silenceWords(state.cpu);
  if (isCpuFine && isMemoryFine)
    return {
      state: 'fine',
      sentence: `Cost: about ${moneyWords(reshaped, known.prices.currency)} a month at 100% of the present traffic, where the old version costs ${moneyWords(stable, known.prices.currency)}; ${isRuledOut(state.cpu) ? `${percentMore(limit)} more CPU for a request is ruled out` : `twice the use would stay within ${moneyWords(metric.maxExtraPerMonth, known.prices.currency)} more`} (${known.source}).`,
    };
  if (silence !== undefined) return unknown('Cost', silence, isEarly(state.cpu));
  if (!isCpuFine) return unknown('Cost', cpu.ratio ? waitingWords(state.cpu, cpu.ratio, metric) : warming);
  return unknown('Cost', waitingWords(state.memory, memory.ratio, metric));
}

function isRuledOut(use: UseState): boolean {
  return use.blocks > 0 && logRuledOut(use) >= logFinalAccept - slack;
}

function isEarly({ silence }: UseState): boolean {
  return silence?.kind === 'unlikeLoads';
}

function knownOf(state: CostState, { shapes, scaling, prices, source, silence, silent }: CostFacts): Known | string {
  if (typeof shapes === 'string') return shapes;
  if (typeof scaling === 'string') return scaling;
  const why = silence ?? silent[costName];
  if (why !== undefined) return why;
  const { cpu, memory, traffic } = state;
  if (cpu.stable === undefined || cpu.stable.load <= 0 || traffic === undefined) return silenceWords(cpu) ?? warming;
  const memoryBytes = memory.stable === undefined ? 0 : memory.stable.use / memory.stable.load;
  const need = { cpu: (cpu.stable.use / cpu.stable.load) * traffic, memoryBytes };
  return { traffic, shapes, scaling, prices, source, need };
}

const warming = 'the first minutes of its pods are left out and no block of time was complete since';

function silenceWords({ silence }: UseState): string | undefined {
  switch (silence?.kind) {
    case undefined:
      return undefined;
    case 'fewPods':
      return `only ${silence.pods} pods serve requests, and at least ${fewestPods} are needed to tell a version from a pod`;
    case 'oneVersion':
      return 'pods of only one version have had enough requests for a minute';
    case 'unlikeLoads':
      return `a pod of the new version has ${rateWords(silence.canary)} requests a second and one of the old version ${rateWords(silence.stable)}, so what pods use without any cannot be told from what requests need; a weight nearer to the share of the pods will tell`;
    default:
      return silence satisfies never;
  }
}

function unknown(what: string, why: string, early = false): Finding {
  return { state: 'unknown', sentence: `${what} is unknown, because ${why}.`, ...(early ? { isEarly: true } : {}) };
}

function waitingWords(use: UseState, ratio: UseRatio | undefined, { tolerateRatio }: CostTerms): string {
  const seen = ratio === undefined ? '' : ` so far it is ${timesWords(ratio)} that of the old version,`;
  return `${use.blocks} blocks of time do not decide yet:${seen} and neither more than ${percentMore(tolerateRatio)} more is shown nor ${percentMore(ruledOutRatio(tolerateRatio))} more ruled out`;
}

function shapeSentence(
  { shapes, scaling, need, prices, source }: Known,
  stable: number,
  reshaped: number,
  metric: CostTerms,
) {
  const { currency } = prices;
  return `The pods of the new version ask for ${shapeWords(shapes.canary)} instead of ${shapeWords(shapes.stable)}, ${toleratedWords(metric, currency)}: about ${moneyWords(reshaped, currency)} a month at 100% of the present traffic instead of ${moneyWords(stable, currency)}, ${moneyWords(reshaped - stable, currency)} more${podsWords(scaling, replicasFor(scaling, shapes.canary, need), replicasFor(scaling, shapes.stable, need))} (${source}).`;
}

function driverSentence(
  driver: Driver,
  ratio: UseRatio,
  known: Known,
  stable: number,
  metric: CostTerms,
  logEvidence: number,
): string {
  const { currency } = known.prices;
  const { extra, billed } = driver;
  const isBilled = billed(ratio.middle) >= extra(ratio.middle) - 0.005;
  const amount = rangeWords(extra, ratio, currency);
  const pods = podsWords(
    known.scaling,
    driver.replicas(ratio.middle),
    replicasFor(known.scaling, known.shapes.stable, known.need),
  );
  const money = isBilled
    ? `about ${moneyWords(stable + billed(ratio.middle), currency)} a month at 100% of the present traffic instead of ${moneyWords(stable, currency)}, ${amount} more${pods}`
    : `at 100% of the present traffic it uses what costs ${amount} a month more, which what is set aside for its pods covers in part or whole: the bill grows when pods are added${pods}`;
  return `The new version needs ${moreWords(ratio)} ${driver.what} (evidence ${oddsWords(logEvidence)}), ${toleratedWords(metric, currency)}: ${money} (${known.source}).`;
}

function podsWords(scaling: Scaling, canary: number, stable: number): string {
  if (scaling.kind !== 'autoscaler' || canary === stable) return '';
  return `; autoscaler ${scaling.name} would run ${canary} pods instead of ${stable}`;
}

function toleratedWords({ tolerateRatio, maxExtraPerMonth }: CostTerms, currency: string): string {
  return `where ${percentMore(tolerateRatio)} and ${moneyWords(maxExtraPerMonth, currency)} a month are tolerated`;
}

function rangeWords(extra: (ratio: number) => number, { low, middle, high }: UseRatio, currency: string): string {
  return `${moneyWords(extra(middle), currency)} (${moneyWords(Math.max(0, extra(low)), currency)} to ${moneyWords(extra(high), currency)})`;
}

function moreWords({ low, middle, high }: UseRatio): string {
  return `${percentMore(middle)} (${percentMore(low)} to ${percentMore(high)}) more`;
}

function percentMore(ratio: number): string {
  return `${Math.round((ratio - 1) * 100)}%`;
}

function timesWords({ low, middle, high }: UseRatio): string {
  return `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}) times`;
}

function rateWords(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}

function shapeWords({ cpu, memoryBytes, gpu }: PodShape): string {
  const gpus = gpu > 0 ? ` and ${gpu} GPUs` : '';
  return `${Number(cpu.toPrecision(3))} CPU and ${Math.round(memoryBytes / 2 ** 20)} MiB${gpus}`;
}
