// Owns the reading of what an attempt costs: asks for what its pods use, and for prices, at most every twenty seconds, and keeps
// what was learned. It never harms or hurries anything: silence is "unknown, because …".
import type { Answer, CostView } from '../analysis/answer.ts';
import {
  type CostFacts,
  type CostSettings,
  type CostState,
  costAfter,
  costName,
  costVerdict,
  openCost,
} from '../analysis/cost.ts';
import { type PodShape, type Scaling, defaultPrices } from '../analysis/money.ts';
import {
  type MoneySeen,
  moneyIn,
  noMoneySeen,
  nodePricesSelector,
  podMoneySelector,
  renamedSelector,
} from './cost-money.ts';
import { type SavedCost, restoredCost, savedCost } from './cost-saved.ts';
import {
  type Told,
  type Usage,
  type UsePod,
  nextBlock,
  requestsPreset,
  told,
  usageIn,
  usageMetrics,
} from './cost-usage.ts';
import { type Fetched, whyDown } from './fetched.ts';
import { matchesOf } from './pod-scraper.ts';
import type { Answered } from './prometheus-body.ts';
import { confinedToPods } from './presets/counters.ts';
import { type Preset, anyOf, quoted } from './presets/preset.ts';
import { parsePlain, selectorText } from './promql.ts';
import { type Series, timesIn } from './series.ts';
import type { Subject } from './subject.ts';

/** What a Rollout asks about cost, and what Kubernetes knows of it. */
export interface CostSubject {
  /** Pinned. */
  readonly settings: CostSettings;
  /** For each price of the settings, the selector of its counter; pinned with them. */
  readonly counters: readonly { readonly name: string; readonly counter: string }[];
  /** Asked at every look. A text says why something is not known, without a full stop. */
  world(): {
    readonly shapes: { readonly canary: PodShape; readonly stable: PodShape } | string;
    readonly scaling: Scaling | string;
  };
}

type Fetch = (selector: string, rangeMs: number) => Promise<Fetched<Answered>>;

export interface CostAsks {
  readonly fetch: Fetch;
  /** Reads the pods themselves; absent where that is not asked for. */
  readonly scrape: Fetch | undefined;
  readonly now: () => number;
}

const betweenLooksMs = 20_000;
const betweenMoneyMs = 60_000;
const longestRetryAfterMs = 60_000;
/** How the old version's use went with its load before the release is known from this. */
const historyMs = 300_000;
/** What a block looks back for, and what is gone over after an outage. */
const lookBackMs = 150_000;
const longestGapMs = 600_000;
const moneyRangeMs = 300_000;
const most = { canary: 60, stable: 40 } as const;

export class CostReader {
  isBusy = false;
  readonly #cost: CostSubject | undefined;
  #state: CostState;
  /** The end of the last block, on the source's clock. */
  #cutMs: number | undefined;
  #dueMs: number;
  #moneyDueMs = 0;
  #money: MoneySeen = noMoneySeen;
  #silence: string | undefined = 'nothing was read yet';
  #silent: Record<string, string> = {};
  #isScraped = false;
  #hasHistory = true;
  #view: CostView | undefined;

  constructor(cost: CostSubject | undefined, saved?: unknown) {
    const restored = cost && restoredCost(saved, cost);
    this.#cost = cost;
    this.#state = restored?.state ?? openCost(cost?.settings ?? { metrics: [], logHold: 0, logRollback: 0 });
    this.#cutMs = restored?.cutMs;
    this.#dueMs = cost === undefined ? Infinity : 0;
    this.#view = this.#state.dearer ? { state: 'dearer', ...this.#state.dearer } : restored?.view;
  }

  /** When to look again, on the operator's clock. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Undefined while nothing was learned. */
  get saved(): SavedCost | undefined {
    return this.#cost && this.#cutMs !== undefined
      ? savedCost(this.#state, this.#cutMs, this.#view, this.#cost)
      : undefined;
  }

  async look(subject: Subject, asks: CostAsks): Promise<void> {
    const { cost } = subject;
    if (!cost) return;
    this.isBusy = true;
    this.#dueMs = asks.now() + betweenLooksMs;
    try {
      const pods = podsOf(subject);
      await this.#readUsage(cost, subject, pods, asks);
      if (asks.now() >= this.#moneyDueMs) await this.#readMoney(subject, pods, asks);
      const answer = costVerdict(this.#state, this.#facts(cost, subject), cost.settings);
      this.#state = answer.state;
      this.#view = answer.view;
    } finally {
      this.isBusy = false;
    }
  }

  /** All requests go to one version: there is nothing to compare with, and what is known stays. */
  rest(nowMs: number): void {
    this.#dueMs = nowMs + betweenLooksMs;
  }

  /** What cost adds to an answer: what it is, and why nothing may rest on evidence while it is unknown or too much. */
  addTo(answer: Answer): Answer {
    if (!this.#cost || answer.kind !== 'judged') return answer;
    const cost = this.#view ?? unread;
    if (cost.state === 'fine' || answer.level === 'harmful') return { ...answer, cost };
    const waits = cost.state === 'dearer' || cost.waits === 'step';
    return {
      ...answer,
      cost,
      stepAcceptable: answer.stepAcceptable && !waits,
      finalAcceptable: false,
      sentence: `${answer.sentence} ${cost.sentence}`,
      ...(waits && cost.state === 'unknown'
        ? {
            waitingFor: [answer.waitingFor, 'waiting to know what it costs']
              .filter((one) => one !== undefined)
              .join('; '),
          }
        : {}),
    };
  }

  async #readUsage(cost: CostSubject, subject: Subject, pods: readonly UsePod[], asks: CostAsks): Promise<void> {
    if (pods.length === 0) return this.#fail('it has no pods yet');
    const rangeMs = this.#cutMs === undefined ? (this.#hasHistory ? historyMs : 0) + lookBackMs : longestGapMs;
    const preset = requestsPreset(subject.namespace, pods);
    const read = await this.#ask(cost, subject, pods, preset, rangeMs, asks);
    if (read.kind === 'down') {
      // A large fleet has more samples than one answer holds.
      this.#hasHistory = false;
      this.#dueMs += Math.min(read.retryAfterMs ?? 0, longestRetryAfterMs);
      return this.#fail(whyDown(read));
    }
    const { usage } = read.value;
    const where = `MetricSource ${subject.source?.name ?? ''}${this.#isScraped ? ' and the pods themselves' : ''}`;
    if (usage.requests.size === 0)
      return this.#fail(`${where} shows no counter of requests by pod (${preset.example})`);
    this.#silence = undefined;
    this.#silent = {
      ...(usage.cpu.size > 0
        ? {}
        : {
            [costName]: `${where} shows no CPU of its pods (${usageMetrics.cpu.join(' or ')} with the labels namespace and pod)`,
          }),
      ...read.value.silent,
    };
    const newestMs = newestIn(read.value.series);
    const known = this.#cutMs !== undefined && newestMs - this.#cutMs < longestGapMs ? this.#cutMs : undefined;
    const backMs = this.#cutMs === undefined && this.#hasHistory ? historyMs : 60_000;
    let cutMs = known ?? Math.max(newestMs - backMs, oldestIn(read.value.series));
    for (let next = nextBlock(usage, pods, cutMs, newestMs); next; next = nextBlock(usage, pods, cutMs, newestMs)) {
      if (next.block) this.#state = costAfter(this.#state, next.block, cost.settings);
      cutMs = next.untilMs;
    }
    this.#cutMs = cutMs;
  }

  /** Of the server; and of the pods themselves where it does not know enough. */
  async #ask(
    cost: CostSubject,
    subject: Subject,
    pods: readonly UsePod[],
    preset: Preset,
    rangeMs: number,
    { fetch, scrape }: CostAsks,
  ): Promise<Fetched<Read>> {
    const names = pods.map(({ name }) => name);
    const metrics = [...usageMetrics.cpu, ...usageMetrics.memory, ...requestNames(preset.selectors)];
    const priced = pricedSelectors(cost, subject, names);
    if (!this.#isScraped || !scrape) {
      const usual = await fetch(usageSelector(metrics, subject.namespace, names), rangeMs);
      const read =
        usual.kind === 'down'
          ? usual
          : await withPrices(usual.value.series, preset, priced, (one) => fetch(one, rangeMs));
      if (!scrape || (read.kind === 'ok' && isEnough(read.value.usage))) return read;
    }
    // Samples of pods and of the server do not go together: blocks begin anew.
    if (!this.#isScraped) this.#cutMs = undefined;
    this.#isScraped = true;
    this.#hasHistory = false;
    const own = priced.flatMap(({ selector }) => (selector === undefined ? [] : [parsePlain(selector)?.name ?? '']));
    const scraped = await scrape(usageSelector([...metrics, ...own], subject.namespace, names), rangeMs);
    if (scraped.kind === 'down') return scraped;
    const { series } = scraped.value;
    return withPrices(series, preset, priced, (selector) => {
      const { all } = matchesOf(selector);
      return Promise.resolve({
        kind: 'ok',
        value: { ...scraped.value, series: series.filter(({ labels }) => all(labels)) },
      });
    });
  }

  /** What it does not find is no failure: then there are the pods and the price table. */
  async #readMoney(subject: Subject, pods: readonly UsePod[], { fetch, now }: CostAsks): Promise<void> {
    this.#moneyDueMs = now() + betweenMoneyMs;
    if (pods.length === 0 || !this.#cost?.settings.metrics.some(({ unitPrice }) => unitPrice === undefined)) return;
    const names = pods.map(({ name }) => name);
    const seriesOf = async (selector: string | undefined): Promise<readonly Series[]> => {
      const fetched = selector === undefined ? undefined : await fetch(selector, moneyRangeMs);
      return fetched?.kind === 'ok' ? fetched.value.series : [];
    };
    const ofPods = await seriesOf(podMoneySelector(subject.namespace, names));
    const prices = nodePricesSelector(ofPods);
    const renamed = prices === undefined ? await seriesOf(renamedSelector(subject.namespace, names)) : [];
    const arms = { canary: namesOf(pods, 'canary'), stable: namesOf(pods, 'stable') };
    this.#money = moneyIn(ofPods, await seriesOf(prices), arms, renamed.length > 0);
  }

  #facts(cost: CostSubject, { source }: Subject): CostFacts {
    const { shapes, scaling } = cost.world();
    const table = source?.prices;
    const { prices, note } = this.#money;
    const seen = this.#money.shapes;
    const priceWords = prices
      ? 'prices of nodes by OpenCost'
      : table
        ? `the price table of MetricSource ${source?.name}`
        : 'default prices';
    return {
      shapes: seen ?? shapes,
      scaling,
      prices: { ...defaultPrices, ...table, ...prices },
      source: `${seen?.of ?? 'requests of the pods'}, ${priceWords}${note === undefined ? '' : `; ${note}`}`,
      silence: this.#silence,
      silent: this.#silent,
    };
  }

  #fail(sentence: string): void {
    this.#silence = sentence;
  }
}

const unread: CostView = {
  state: 'unknown',
  do: 'hold',
  sentence: 'Cost is unknown, because nothing was read yet.',
  waits: 'step',
};

interface Read {
  readonly series: readonly Series[];
  readonly usage: Usage;
  /** Why a price is not counted, by name. */
  readonly silent: Readonly<Record<string, string>>;
}

interface Priced {
  readonly name: string;
  readonly counter: string;
  /** Undefined: it is no plain selector. */
  readonly selector: string | undefined;
}

/** There is no need to ask the pods themselves. */
function isEnough({ requests, cpu }: Usage): boolean {
  return requests.size > 0 && cpu.size > 0;
}

async function withPrices(
  series: readonly Series[],
  preset: Preset,
  priced: readonly Priced[],
  ask: (selector: string) => Promise<Fetched<Answered>>,
) {
  const units: Record<string, Told> = {};
  const silent: Record<string, string> = {};
  for (const { name, counter, selector } of priced) {
    if (selector === undefined) {
      silent[name] =
        `its counter is no plain selector: ${counter} is to be a name with matchers, as llm_tokens_total{model="large"}; correct it in the Rollout`;
      continue;
    }
    const fetched = await ask(selector);
    if (fetched.kind === 'down') silent[name] = whyDown(fetched);
    else if (fetched.value.series.length === 0) silent[name] = `no pod of this release counts ${counter}`;
    else units[name] = told(fetched.value.series);
  }
  return { kind: 'ok' as const, value: { series, usage: usageIn(series, preset, units), silent } satisfies Read };
}

function pricedSelectors(
  { counters }: CostSubject,
  { namespace, source }: Subject,
  pods: readonly string[],
): readonly Priced[] {
  return counters.map(({ name, counter }) => {
    const plain = parsePlain(counter);
    const own = plain?.name === undefined ? undefined : plain;
    const selector = own && selectorText(confinedToPods(own, { namespace, pods }, source?.confine?.namespaceLabel));
    return { name, counter, selector };
  });
}

function usageSelector(metrics: readonly string[], namespace: string, pods: readonly string[]): string {
  return `{__name__=~${quoted(metrics.join('|'))},namespace=${quoted(namespace)},pod=~${anyOf(pods)}}`;
}

/** The names that the preset asks for; who is up is told by the samples themselves. */
function requestNames(selectors: readonly string[]): readonly string[] {
  const names = selectors.flatMap((selector) =>
    (parsePlain(selector)?.matchers ?? []).flatMap(({ label, value }) =>
      label === '__name__' ? value.split('|') : [],
    ),
  );
  return [...new Set(names)].filter((name) => name !== 'up');
}

function podsOf(subject: Subject): readonly UsePod[] {
  const listed = subject.pods();
  return (['canary', 'stable'] as const).flatMap((arm) =>
    listed[arm]
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .slice(0, most[arm])
      .map((pod) => ({ ...pod, arm })),
  );
}

function namesOf(pods: readonly UsePod[], arm: UsePod['arm']): readonly string[] {
  return pods.flatMap((pod) => (pod.arm === arm ? pod.name : []));
}

function newestIn(series: readonly Series[]): number {
  return series.reduce((newest, one) => Math.max(newest, timesIn(one).at(-1) ?? 0), 0);
}

function oldestIn(series: readonly Series[]): number {
  return series.reduce((oldest, one) => Math.min(oldest, timesIn(one)[0] ?? Infinity), Infinity);
}
