/**
 * A release in virtual time that is judged by a metric source on a real socket: the source is well, or does to the real
 * collector what a test says. Time moves only when nothing is on its way, so that no verdict depends on the machine.
 */
import type { ServerResponse } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { Answer } from '../../src/analysis/answer.ts';
import { diceFrom } from '../../src/analysis/dice.ts';
import { defaultSettings } from '../../src/analysis/settings.ts';
import { ManualClock } from '../../src/kube/manual-clock.ts';
import { type ScriptedServer, startServer } from '../../src/kube/scripted-server.ts';
import { Collector } from '../../src/signals/collector.ts';
import type { Series } from '../../src/signals/series.ts';
import { SimulatedFleet } from '../../src/signals/simulated-fleet.ts';
import type { Subject } from '../../src/signals/subject.ts';
import { neverResolves } from './self-signed.ts';

/** What a source does instead of answering well. `hangs`: the answer is not complete when this returns. */
export type Behaviour = (exchange: Exchange) => 'hangs' | void;

export interface Exchange {
  readonly response: ServerResponse;
  /** The answer that a well Prometheus would give. */
  readonly series: readonly Series[];
  readonly nowMs: number;
  /** Counts the answers of the source. */
  readonly turn: number;
  /** In virtual time; stops when the client is gone. */
  readonly every: (ms: number, act: () => void) => void;
}

/** Where sentences say that the source is, whatever the port of this test. */
export const shownAddress = 'http://prometheus.monitoring:9090';
/** So that two replicas can see a scrape each in every 5 s. */
export const scrapeMs = 2_500;
const startMs = Date.UTC(2026, 2, 1);
const stepMs = 1_000;

export class MetricStage {
  readonly clock = new ManualClock(startMs);
  readonly fleet: SimulatedFleet;
  readonly changes: { readonly key: string; readonly atMs: number; readonly answer: Answer }[] = [];
  collector: Collector;
  /** Bytes that the source wrote. */
  sentBytes = 0;
  queries = 0;
  /** Undefined while the source is well. */
  fault: Behaviour | undefined;
  readonly #servers: ScriptedServer[] = [];
  readonly #agent = new Agent({ connect: { lookup: neverResolves } });
  readonly #stop = new AbortController();
  readonly #hanging = new Set<ServerResponse>();
  #timers: { everyMs: number; leftMs: number; response: ServerResponse; act: () => void }[] = [];
  #underWay = 0;
  #running: Promise<void> | undefined;

  private constructor(seed: number) {
    this.fleet = new SimulatedFleet(startMs, seed, scrapeMs);
    for (const [index, offset] of [0.1, 0.3, 0.6, 0.9].entries()) this.fleet.addPod(`old-${index}`, 'stable', offset);
    this.collector = new Collector({
      clock: this.clock,
      random: diceFrom(5),
      dispatcher: this.#counted(),
      onChange: (key) => this.#changed(key),
    });
  }

  static async open(seed = 1): Promise<MetricStage> {
    const stage = new MetricStage(seed);
    await stage.#serve(() => stage.fault);
    return stage;
  }

  get address(): string {
    return this.#servers[0]?.url ?? '';
  }

  /** Another source beside this one that is never well; its address. */
  async neighbour(fault: Behaviour): Promise<string> {
    return (await this.#serve(() => fault)).url;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const response of this.#hanging) response.destroy();
    await this.pass(0);
    await this.#running;
    await this.#agent.destroy();
    for (const server of this.#servers) await server.close();
  }

  async pass(seconds: number): Promise<void> {
    for (let passedMs = 0; passedMs < seconds * 1000; passedMs += stepMs) {
      this.fleet.advance(stepMs);
      this.#runTimers();
      await this.clock.advance(stepMs);
      await this.#quiet();
    }
    await this.clock.advance(0);
    await this.#quiet();
  }

  subject(more: Partial<Subject> = {}): Subject {
    return {
      key: 'uid/1',
      namespace: 'shop',
      pods: () => ({ canary: this.fleet.listed('canary'), stable: this.fleet.listed('stable') }),
      settings: defaultSettings,
      source: { name: 'main', address: this.address, timeoutMs: 5_000, dataPlane: 'app' },
      beganAtMs: this.clock.nowMs(),
      ...more,
    };
  }

  /** Two canary pods get a tenth of the requests. */
  async begin(errorRates = { canary: 0, stable: 0 }, ...subjects: readonly Partial<Subject>[]): Promise<Subject> {
    await this.pass(30);
    const all = (subjects.length === 0 ? [{}] : subjects).map((more) => this.subject(more));
    this.#running = this.collector.run(this.#stop.signal);
    for (const subject of all) {
      this.collector.watch(subject);
      this.collector.arm(subject.key, 'twoArms');
    }
    await this.pass(3);
    this.fleet.addPod('new-0', 'canary', 0.2);
    this.fleet.addPod('new-1', 'canary', 0.7);
    await this.pass(8);
    this.fleet.traffic = { perSecond: 100, canaryWeight: 0.1, errorRates };
    for (const { key } of all) this.collector.stepStarted(key, '0:1');
    return all[0] as Subject;
  }

  answer(key = 'uid/1'): Answer {
    const reading = this.collector.reading(key);
    if (!reading) throw new Error('nothing is read');
    return reading.answer;
  }

  /** The sentence, with the address of the table. */
  said(key = 'uid/1'): string {
    const answer = this.answer(key);
    const sentence = 'sentence' in answer ? answer.sentence : '';
    return sentence.replaceAll(this.address, shownAddress);
  }

  /** Everything that was served, once every counter was scraped. */
  async settleCounts(): Promise<{ readonly counted: number; readonly failed: number }> {
    this.fleet.traffic = { ...this.fleet.traffic, perSecond: 0 };
    await this.pass(20);
    const answer = this.answer();
    if (answer.kind !== 'judged') throw new Error(`not judged: ${this.said()}`);
    return { counted: answer.canaryRequests, failed: answer.canaryErrors };
  }

  async #serve(faultNow: () => Behaviour | undefined): Promise<ScriptedServer> {
    const server = await startServer(({ path, body, headers }, response) => {
      this.queries += 1;
      if (path !== '/api/v1/query' || headers['accept-encoding'] !== undefined) throw new Error('asked in another way');
      this.#answer(new URLSearchParams(body).get('query') ?? '', response, faultNow());
    });
    this.#servers.push(server);
    return server;
  }

  #answer(query: string, response: ServerResponse, fault: Behaviour | undefined): void {
    const [, selector = '', range = '0'] = /^(.*)\[(\d+)ms\]$/.exec(query) ?? [];
    const nowMs = this.clock.nowMs();
    response.sendDate = false;
    response.setHeader('date', new Date(nowMs).toUTCString()).setHeader('content-type', 'application/json');
    const write = response.write.bind(response) as (part: Buffer) => boolean;
    response.write = (part: Buffer) => {
      this.sentBytes += part.length;
      return write(part);
    };
    const series = this.fleet.answer(selector, Number(range));
    const every = (everyMs: number, act: () => void) =>
      void this.#timers.push({ everyMs, leftMs: everyMs, response, act });
    if (!fault) return void response.end(matrixOf(series));
    if (fault({ response, series, nowMs, turn: this.queries, every }) !== 'hangs') return;
    this.#hanging.add(response);
    response.on('close', () => this.#hanging.delete(response));
  }

  #runTimers(): void {
    this.#timers = this.#timers.filter(({ response }) => !response.writableEnded && !response.destroyed);
    for (const timer of this.#timers) {
      timer.leftMs -= stepMs;
      if (timer.leftMs > 0) continue;
      timer.leftMs = timer.everyMs;
      timer.act();
      if (timer.response.writableEnded) this.#hanging.delete(timer.response);
    }
  }

  /** Until the only requests under way are those that the source does not answer. */
  async #quiet(): Promise<void> {
    do for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
    while (this.#underWay !== this.#hanging.size);
    // What was read is counted by promises that still have to run.
    for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
  }

  #counted(): Dispatcher {
    return this.#agent.compose((dispatch) => (options, handler) => {
      this.#underWay += 1;
      let isOver = false;
      const over = () => {
        if (!isOver) this.#underWay -= 1;
        isOver = true;
      };
      return dispatch(options, {
        onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
        onResponseStart: (...all) => handler.onResponseStart?.(...all),
        onResponseData: (...all) => handler.onResponseData?.(...all),
        onResponseEnd: (...all) => (over(), handler.onResponseEnd?.(...all)),
        onResponseError: (...all) => (over(), handler.onResponseError?.(...all)),
      });
    });
  }

  #changed(key: string): void {
    const reading = this.collector.reading(key);
    if (reading) this.changes.push({ key, atMs: this.clock.nowMs(), answer: reading.answer });
  }
}

/** As Prometheus writes raw samples. */
export function matrixOf(series: readonly Series[]): string {
  const result = series.map(({ labels, samples }) => ({
    metric: labels,
    values: samples.map(({ atMs, value }) => [atMs / 1000, shownValue(value)]),
  }));
  return JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });
}

function shownValue(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
