// A small world for tests: pods and a gateway that count requests, and a Prometheus that scrapes them. It answers raw
// range selectors as the real one does, and holds no opinion on what the counts mean.
import { type Dice, binomial, diceFrom, poisson } from '../analysis/dice.ts';
import type { Sample, Series } from './series.ts';

export interface FleetPod {
  readonly name: string;
  readonly version: 'canary' | 'stable';
  readonly startedAtMs: number;
  /** Part of a scrape interval by which its scrapes are later than others'. */
  readonly offset: number;
  endedAtMs?: number;
}

export interface Traffic {
  readonly perSecond: number;
  readonly canaryWeight: number;
  readonly errorRates: { readonly canary: number; readonly stable: number };
  /** How much slower a version is than one that answers within 50 ms usually; absent where nobody measures time. */
  readonly slowness?: { readonly canary: number; readonly stable: number };
  /** CPU seconds that a request takes; absent where nobody says. */
  readonly cpu?: { readonly canary: number; readonly stable: number };
  /** Of what is counted beside requests: how many a second, and which part of them fails. */
  readonly orders?: {
    readonly perSecond: number;
    readonly failRates: { readonly canary: number; readonly stable: number };
  };
}

/** What the pods' histograms say, in seconds. */
const fleetBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;
const usualSeconds = 0.05;
/** Of the logarithm: nine of ten requests take between the usual time divided by 2.3 and the usual time by 2.3. */
const spread = 0.5;
/** What Traefik's histogram says if nobody asks for more. */
const traefikBounds = [0.1, 0.3, 1.2, 5] as const;

/** Moves in steps of a tenth of a second. */
const stepMs = 100;
const gatewayOffset = 0.37;

export class SimulatedFleet {
  readonly intervalMs: number;
  readonly pods: FleetPod[] = [];
  /** While true nothing is scraped. */
  isBlind = false;
  /** What of it is not scraped any more. */
  isHidden: (labels: Series['labels']) => boolean = () => false;
  traffic: Traffic = { perSecond: 100, canaryWeight: 0, errorRates: { canary: 0, stable: 0 } };
  /** What really happened, by version. */
  readonly truth = { canary: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } };
  /** The same of what is ordered. */
  readonly orders = { canary: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } };
  nowMs: number;
  readonly #dice: Dice;
  readonly #counters = new Map<string, { labels: Series['labels']; target: string; value: number }>();
  readonly #samples = new Map<string, { labels: Series['labels']; samples: Sample[] }>();

  constructor(startMs: number, seed: number, intervalMs = 5_000) {
    this.nowMs = startMs;
    this.intervalMs = intervalMs;
    this.#dice = diceFrom(seed);
  }

  addPod(name: string, version: FleetPod['version'], offset: number): FleetPod {
    const pod: FleetPod = { name, version, startedAtMs: this.nowMs, offset };
    this.pods.push(pod);
    return pod;
  }

  /** The pod dies; what it counted since its last scrape is lost to the pod's own counters. */
  endPod(pod: FleetPod): void {
    pod.endedAtMs = this.nowMs;
  }

  /** A container that restarts counts from zero. */
  resetPod(name: string): void {
    for (const [key, counter] of this.#counters) if (counter.target === name) this.#counters.delete(key);
  }

  listed(version: FleetPod['version']): readonly { readonly name: string; readonly startedAtMs: number }[] {
    return this.pods.filter((pod) => pod.version === version && pod.endedAtMs === undefined);
  }

  advance(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; ) {
      this.nowMs += stepMs;
      this.#serve('canary', this.traffic.canaryWeight);
      this.#serve('stable', 1 - this.traffic.canaryWeight);
      this.#order('canary', this.traffic.canaryWeight);
      this.#order('stable', 1 - this.traffic.canaryWeight);
      if (!this.isBlind) this.#scrape();
    }
  }

  /** What a pod says on /metrics now. */
  exposed(name: string): string {
    const own = [...this.#counters.values()].filter(({ target }) => target === name);
    const lines = own.map(({ labels, value }) => {
      const shown = Object.entries(labels).filter(([label]) => !(label in ownLabels(name)) && label !== '__name__');
      return `${labels['__name__']}{${shown.map(([label, text]) => `${label}="${text}"`).join(',')}} ${value}\n`;
    });
    return lines.join('');
  }

  /** `{…}[range]` at the present moment: left-open, right-closed. Only label equality and alternatives are understood. */
  answer(selector: string, rangeMs: number): readonly Series[] {
    const matchers = [...selector.matchAll(/([a-z_]+)=~?"((?:[^"\\]|\\.)*)"/g)].map(
      ([, name = '', pattern = '']) => [name, new RegExp(`^(?:${pattern.replaceAll('\\\\', '\\')})$`)] as const,
    );
    const metric = /^([a-z_]+)\{/.exec(selector)?.[1];
    return [...this.#samples.values()]
      .filter(({ labels }) => metric === undefined || labels['__name__'] === metric)
      .filter(({ labels }) => matchers.every(([name, pattern]) => pattern.test(labels[name] ?? '')))
      .map(({ labels, samples }) => ({
        labels,
        samples: samples.filter(({ atMs }) => atMs > this.nowMs - rangeMs && atMs <= this.nowMs),
      }))
      .filter(({ samples }) => samples.length > 0);
  }

  #serve(version: FleetPod['version'], share: number): void {
    const pods = this.pods.filter((pod) => pod.version === version && pod.endedAtMs === undefined);
    for (const pod of pods) {
      const requests = poisson(this.#dice, (this.traffic.perSecond * share * stepMs) / 1000 / pods.length);
      const errors = binomial(this.#dice, requests, this.traffic.errorRates[version]);
      this.truth[version].requests += requests;
      this.truth[version].errors += errors;
      this.#count(pod, 200, requests - errors);
      this.#count(pod, 500, errors);
      this.#measure(pod, requests - errors);
      const { cpu } = this.traffic;
      const own = { ...ownLabels(pod.name), __name__: 'process_cpu_seconds_total' };
      if (cpu && requests > 0) this.#add(pod.name, own, requests * cpu[version]);
    }
  }

  /** Requests that did not fail, in the pod's own histogram. */
  #measure({ name, version }: FleetPod, requests: number): void {
    const { slowness } = this.traffic;
    if (!slowness) return;
    const times = Array.from({ length: requests }, () => this.#seconds() * slowness[version]);
    const own = { ...ownLabels(name), __name__: 'http_request_duration_seconds_bucket', code: '200' };
    const gateway = {
      ...gatewayLabels(version),
      __name__: 'traefik_service_request_duration_seconds_bucket',
      code: '200',
      method: 'GET',
      protocol: 'http',
    };
    this.#sort(name, own, times, fleetBounds);
    this.#sort('gateway', gateway, times, traefikBounds);
  }

  /** All boundaries of a histogram begin at once. */
  #sort(target: string, labels: Series['labels'], times: readonly number[], bounds: readonly number[]): void {
    if (times.length === 0) return;
    for (const bound of [...bounds, Infinity]) {
      const le = bound === Infinity ? '+Inf' : String(bound);
      this.#add(target, { ...labels, le }, times.filter((seconds) => seconds <= bound).length);
    }
  }

  #seconds(): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#dice())) * Math.cos(2 * Math.PI * this.#dice());
    return usualSeconds * Math.exp(spread * normal);
  }

  #order(version: FleetPod['version'], share: number): void {
    const { orders } = this.traffic;
    if (!orders) return;
    const pods = this.pods.filter((pod) => pod.version === version && pod.endedAtMs === undefined);
    for (const { name } of pods) {
      const all = poisson(this.#dice, (orders.perSecond * share * stepMs) / 1000 / pods.length);
      const failed = binomial(this.#dice, all, orders.failRates[version]);
      this.orders[version].requests += all;
      this.orders[version].errors += failed;
      if (all > 0) this.#add(name, { ...ownLabels(name), __name__: 'orders_total' }, all);
      if (failed > 0) this.#add(name, { ...ownLabels(name), __name__: 'orders_failed_total', reason: 'stock' }, failed);
    }
  }

  #count({ name, version }: FleetPod, code: number, requests: number): void {
    if (requests === 0) return;
    const own = { ...ownLabels(name), __name__: 'http_requests_total' };
    const gateway = { ...gatewayLabels(version), __name__: 'traefik_service_requests_total' };
    this.#add(name, { ...own, code: String(code) }, requests);
    this.#add('gateway', { ...gateway, code: String(code) }, requests);
  }

  #add(target: string, labels: Series['labels'], requests: number): void {
    const key = JSON.stringify(labels);
    const counter = this.#counters.get(key) ?? { labels, target, value: 0 };
    counter.value += requests;
    this.#counters.set(key, counter);
  }

  #scrape(): void {
    const running = this.pods.filter((pod) => pod.endedAtMs === undefined);
    for (const { name } of running.filter(({ offset }) => this.#isDue(offset))) {
      this.#sample({ ...ownLabels(name), __name__: 'up' }, 1);
      this.#sampleAll(name);
    }
    if (!this.#isDue(gatewayOffset)) return;
    this.#sample({ __name__: 'traefik_config_last_reload_success', job: 'traefik', instance: 'gateway:9100' }, 1e9);
    this.#sampleAll('gateway');
  }

  #isDue(offset: number): boolean {
    const phaseMs = Math.round((offset * this.intervalMs) / stepMs) * stepMs;
    return (this.nowMs - phaseMs) % this.intervalMs === 0;
  }

  #sampleAll(target: string): void {
    for (const counter of this.#counters.values()) {
      if (counter.target === target) this.#sample(counter.labels, counter.value);
    }
  }

  #sample(labels: Series['labels'], value: number): void {
    if (this.isHidden(labels)) return;
    const key = JSON.stringify(labels);
    const series = this.#samples.get(key) ?? { labels, samples: [] };
    series.samples.push({ atMs: this.nowMs, value });
    this.#samples.set(key, series);
  }
}

function ownLabels(pod: string): Readonly<Record<string, string>> {
  return { namespace: 'shop', pod, job: 'pods', instance: `${pod}:8080` };
}

function gatewayLabels(version: FleetPod['version']): Readonly<Record<string, string>> {
  const service = `shop-shop${version === 'canary' ? '-canary' : ''}-http-80@kubernetesgateway`;
  return { service, job: 'traefik', instance: 'gateway:9100' };
}
