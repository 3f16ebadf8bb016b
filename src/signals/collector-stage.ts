// A whole attempt in virtual time for tests: a fleet that serves and is scraped, a source that shows it, and a collector that
// reads it. It holds no opinion on what is found.
import { MockAgent } from 'undici';
import type { Answer } from '../analysis/answer.ts';
import { diceFrom } from '../analysis/dice.ts';
import type { JudgeState } from '../analysis/judge.ts';
import { defaultSettings } from '../analysis/settings.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { Collector } from './collector.ts';
import { type SavedEvidence, restoreEvidence } from './saved.ts';
import { SimulatedFleet, type Traffic } from './simulated-fleet.ts';
import type { Subject } from './subject.ts';

const startMs = Date.UTC(2026, 2, 1);
export const address = 'http://prometheus.test:9090';

interface Change {
  readonly atMs: number;
  readonly answer: Answer;
}

/** A fleet, a source that shows it, and an operator that reads it. */
export class Stage {
  readonly clock = new ManualClock(startMs);
  readonly fleet: SimulatedFleet;
  readonly changes: Change[] = [];
  /** What the source says instead of an answer. */
  outage: { readonly statusCode: number; readonly text: string } | undefined;
  queries = 0;
  /** What the step plans for the canary; undefined where nobody says. */
  plannedPercent: number | undefined;
  /** What the source answers to a query for one number. */
  number = 'NaN';
  /** Labels of the alerts that the source says fire, from which moment on. */
  firing: readonly { readonly sinceMs: number; readonly labels: Readonly<Record<string, string>> }[] = [];
  /** Queries are noted here. */
  asked: string[] = [];
  collector: Collector;
  /** Names of pods that answer when they are scraped. */
  readonly scrapable = new Set<string>();
  scrapes = 0;
  readonly #agent = new MockAgent();
  readonly #pods = new MockAgent();
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(seed = 1, intervalMs = 5_000) {
    this.fleet = new SimulatedFleet(startMs, seed, intervalMs);
    for (const [index, offset] of [0.1, 0.3, 0.6, 0.9].entries()) this.fleet.addPod(`old-${index}`, 'stable', offset);
    this.#agent.disableNetConnect();
    this.#agent
      .get(address)
      .intercept({ path: '/api/v1/query', method: 'POST' })
      .reply(({ body }) => this.#reply(typeof body === 'string' ? body : ''))
      .persist();
    this.#pods.disableNetConnect();
    this.#pods
      .get(/\.pod\.test/)
      .intercept({ path: '/metrics', method: 'GET' })
      .reply(({ origin }) => this.#scraped(String(origin)))
      .persist();
    this.collector = this.#opened();
  }

  start(): void {
    this.#running = this.collector.run(this.#stop.signal);
  }

  async restart(): Promise<void> {
    this.#stop.abort();
    await this.pass(0);
    await this.#running;
    this.#stop = new AbortController();
    this.collector = this.#opened();
    this.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.pass(0);
    await this.#running;
    await this.#agent.close();
    await this.#pods.close();
  }

  async pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds * 10; passed += 1) {
      this.fleet.advance(100);
      await this.clock.advance(100);
    }
    for (let turn = 0; turn < 5; turn += 1) await this.clock.advance(0);
  }

  /** All pods, whether or not they answer, every second. */
  scrape(): NonNullable<Subject['scrape']> {
    const targetsOf = (arm: 'canary' | 'stable') =>
      this.fleet
        .listed(arm)
        .map(({ name: pod }) => ({ pod, namespace: 'shop', arm, address: `http://${pod}.pod.test:8080/metrics` }));
    return { intervalMs: 1_000, targets: () => [...targetsOf('canary'), ...targetsOf('stable')] };
  }

  subject(more: Partial<Subject> = {}): Subject {
    return {
      key: 'uid/1',
      namespace: 'shop',
      pods: () => ({ canary: this.fleet.listed('canary'), stable: this.fleet.listed('stable') }),
      gateway: { canaryService: 'shop-canary', stableService: 'shop', route: 'shop', port: 80 },
      settings: defaultSettings,
      source: { name: 'main', address, timeoutMs: 5_000, dataPlane: 'traefik' },
      beganAtMs: this.clock.nowMs(),
      ...more,
    };
  }

  answer(): Answer {
    const reading = this.collector.reading('uid/1');
    if (!reading) throw new Error('nothing is read');
    return reading.answer;
  }

  /** Through JSON, as through status. */
  saved(): SavedEvidence {
    return JSON.parse(JSON.stringify(this.collector.reading('uid/1')?.saved)) as SavedEvidence;
  }

  /** What a restarted operator would go on from. */
  judge(): JudgeState | undefined {
    const saved = this.saved();
    return restoreEvidence(saved, saved.key, saved.settings)?.judge;
  }

  /** The release has begun: two canary pods, a tenth of the traffic. */
  async begin(
    more: Partial<Subject> = {},
    errorRates = { canary: 0, stable: 0 },
    traffic: Partial<Traffic> = {},
  ): Promise<Subject> {
    if (traffic.slowness || traffic.orders) this.fleet.traffic = { ...this.fleet.traffic, ...traffic };
    await this.pass(60);
    const subject = this.subject(more);
    this.start();
    this.collector.watch(subject);
    this.collector.arm('uid/1', 'twoArms');
    await this.pass(3);
    this.fleet.addPod('new-0', 'canary', 0.2);
    this.fleet.addPod('new-1', 'canary', 0.7);
    await this.pass(8);
    this.fleet.traffic = { perSecond: 100, canaryWeight: 0.1, errorRates, ...traffic };
    this.collector.stepStarted('uid/1', '0:1', this.plannedPercent);
    return subject;
  }

  secondsTo(level: string, sinceMs: number): number {
    const change = this.changes.find(({ answer }) => answer.kind === 'judged' && answer.level === level);
    return ((change?.atMs ?? Infinity) - sinceMs) / 1000;
  }

  #opened(): Collector {
    return new Collector({
      clock: this.clock,
      random: diceFrom(5),
      dispatcher: this.#agent,
      scrapes: this.#pods,
      onChange: (key) => this.#changed(key),
    });
  }

  #changed(key: string): void {
    const reading = this.collector.reading(key);
    if (reading) this.changes.push({ atMs: this.clock.nowMs(), answer: reading.answer });
  }

  #scraped(origin: string) {
    this.scrapes += 1;
    const pod = new URL(origin).hostname.replace('.pod.test', '');
    return this.scrapable.has(pod)
      ? { statusCode: 200, data: this.fleet.exposed(pod) }
      : { statusCode: 404, data: 'not here' };
  }

  #reply(body: string) {
    this.queries += 1;
    if (this.outage) return { statusCode: this.outage.statusCode, data: this.outage.text };
    const form = new URLSearchParams(body);
    const query = form.get('query') ?? '';
    this.asked.push(query);
    if (query.startsWith('ALERTS{'))
      return this.#alertsAt(Number(form.get('time') ?? this.clock.nowMs() / 1000) * 1000);
    if (!query.endsWith('ms]')) return this.#single();
    const [, selector = '', range = '0'] = /^(.*)\[(\d+)ms\]$/.exec(query) ?? [];
    const untilMs = Number(form.get('time') ?? Infinity) * 1000;
    const aheadMs = Math.max(0, this.clock.nowMs() - untilMs);
    const result = this.fleet.answer(selector, Number(range) + aheadMs).map(({ labels, samples }) => ({
      metric: labels,
      values: samples.filter(({ atMs }) => atMs <= untilMs).map(({ atMs, value }) => [atMs / 1000, String(value)]),
    }));
    return { statusCode: 200, data: JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }) };
  }

  #alertsAt(atMs: number) {
    const fired = this.firing.filter(({ sinceMs }) => sinceMs <= atMs);
    const result = fired.map(({ labels }) => ({ metric: labels, value: [atMs / 1000, '1'] }));
    return { statusCode: 200, data: JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }) };
  }

  #single() {
    const result = [{ metric: {}, value: [this.clock.nowMs() / 1000, this.number] }];
    return { statusCode: 200, data: JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }) };
  }
}
