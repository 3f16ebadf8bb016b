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
}

/** Moves in steps of a tenth of a second. */
const stepMs = 100;
const gatewayOffset = 0.37;

export class SimulatedFleet {
  readonly intervalMs: number;
  readonly pods: FleetPod[] = [];
  /** While true nothing is scraped. */
  isBlind = false;
  traffic: Traffic = { perSecond: 100, canaryWeight: 0, errorRates: { canary: 0, stable: 0 } };
  /** What really happened, by version. */
  readonly truth = { canary: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } };
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
      if (!this.isBlind) this.#scrape();
    }
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
    }
  }

  #count({ name, version }: FleetPod, code: number, requests: number): void {
    if (requests === 0) return;
    const own = {
      __name__: 'http_requests_total',
      namespace: 'shop',
      pod: name,
      job: 'pods',
      instance: `${name}:8080`,
    };
    const service = `shop-shop${version === 'canary' ? '-canary' : ''}-http-80@kubernetesgateway`;
    const gateway = { __name__: 'traefik_service_requests_total', service, job: 'traefik', instance: 'gateway:9100' };
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
      this.#sample({ __name__: 'up', namespace: 'shop', pod: name, job: 'pods', instance: `${name}:8080` }, 1);
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
    const key = JSON.stringify(labels);
    const series = this.#samples.get(key) ?? { labels, samples: [] };
    series.samples.push({ atMs: this.nowMs, value });
    this.#samples.set(key, series);
  }
}
