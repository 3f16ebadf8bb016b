/**
 * Plays one release of a scenario in virtual time: the release core decides as it does in the operator, the judge judges, and
 * the simulated cluster obeys. No clock, no cluster, no chance but the given dice.
 */
import { diceFrom } from '../../analysis/dice.ts';
import type { Level } from '../../analysis/answer.ts';
import type { ReleaseOutcome } from '../../api/release-record.ts';
import { judgeSettingsOf } from '../../controller/judged-as.ts';
import { decide } from '../../release/decide.ts';
import type { Decision } from '../../release/decision.ts';
import { type Arrivals, arrivalsOf } from './arrivals.ts';
import { type Cluster, canaryHash, controlled, nextChangeMs, readyOf, withNewTemplate } from './cluster.ts';
import { look } from './look.ts';
import { obey } from './obey.ts';
import { lagMs, Reading } from './reading.ts';
import type { Scenario } from './scenario.ts';

/** What was the case at the end of one window; times count from the beginning of the release. */
export interface Moment {
  readonly atMs: number;
  readonly weightPercent: number;
  /** Natural logarithms of the odds. */
  readonly logHarm: number;
  readonly logAccept: number;
  readonly level: Level;
}

export interface Said {
  readonly atMs: number;
  readonly reason: string;
  readonly message: string;
}

export interface Run {
  /** `Undecided`: it still waited for somebody when the simulation was over. */
  readonly outcome: ReleaseOutcome | 'Undecided';
  readonly endMs: number;
  /** From the first failure that the new version is to blame for, or its first request, to the decision to go back. */
  readonly backAfterMs: number | undefined;
  /** The same for the first brake. */
  readonly brakedAfterMs: number | undefined;
  readonly canaryRequests: number;
  /** Failed answers that the new version gave. */
  readonly canaryErrors: number;
  readonly moments: readonly Moment[];
  readonly said: readonly Said[];
}

const beganMs = Date.UTC(2026, 0, 1);
/** A release that nobody has decided by then waits for a person. */
const longestMs = 6 * 3_600_000;
/** From an effect to the next look at what it did. */
const echoMs = 200;

export function playRun(scenario: Scenario, seed: number): Run {
  const play = new Play(scenario, seed);
  while (!play.isOver) play.next();
  return play.run;
}

class Play {
  readonly #scenario: Scenario;
  readonly #arrivals: Arrivals;
  readonly #reading: Reading;
  readonly #moments: Moment[] = [];
  readonly #said: Said[] = [];
  #cluster: Cluster;
  #nowMs = beganMs;
  #decideAtMs = beganMs;
  #learnAtMs = Infinity;
  #firstRequestMs: number | undefined;
  #run: Run;

  constructor(scenario: Scenario, seed: number) {
    this.#scenario = scenario;
    this.#arrivals = arrivalsOf(scenario, diceFrom(seed));
    this.#reading = new Reading(judgeSettingsOf(scenario.spec), scenario.scrapeMs, beganMs);
    this.#cluster = withNewTemplate(scenario.pods, scenario.podStartMs, beganMs);
    this.#run = {
      outcome: 'Undecided',
      endMs: longestMs,
      backAfterMs: undefined,
      brakedAfterMs: undefined,
      canaryRequests: 0,
      canaryErrors: 0,
      moments: this.#moments,
      said: this.#said,
    };
  }

  get run(): Run {
    return this.#run;
  }

  get isOver(): boolean {
    const isEnded = this.#run.outcome !== 'Undecided' && this.#cluster.memory.journal.attempt === undefined;
    return isEnded || this.#nowMs - beganMs >= longestMs;
  }

  next(): void {
    this.#passTo(Math.min(this.#decideAtMs, this.#learnAtMs, this.#reading.cutMs, this.#onsetAtMs()));
    if (this.#nowMs >= this.#reading.cutMs) {
      this.#reading.cut();
      this.#learnAtMs = this.#nowMs + lagMs;
      this.#note();
    }
    if (this.#nowMs >= this.#learnAtMs) {
      this.#reading.learn();
      [this.#learnAtMs, this.#decideAtMs] = [Infinity, this.#nowMs];
    }
    if (this.#nowMs >= this.#decideAtMs) this.#decide();
  }

  /** Requests flow at the weight of this moment; the gateway follows the route at once. */
  #passTo(untilMs: number): void {
    const share = (this.#cluster.weightPercent ?? 0) / 100;
    if (share > 0) this.#firstRequestMs ??= this.#nowMs;
    const canary = this.#cluster.sets.find(({ hash }) => hash === canaryHash);
    const pods = canary === undefined ? 0 : readyOf(canary, this.#nowMs);
    const isBad = this.#nowMs >= this.#badSinceMs();
    const span = { fromMs: this.#nowMs - beganMs, toMs: untilMs - beganMs };
    if (untilMs > this.#nowMs) {
      const arrived = this.#arrivals(span, pods > 0 ? share : 0, pods, isBad);
      this.#reading.count(arrived);
      this.#add(arrived.canary);
    }
    this.#nowMs = untilMs;
  }

  #add(canary: readonly { readonly requests: number; readonly errors: number }[]): void {
    const sum = (count: 'requests' | 'errors'): number => canary.reduce((all, group) => all + group[count], 0);
    const { canaryRequests, canaryErrors } = this.#run;
    this.#run = {
      ...this.#run,
      canaryRequests: canaryRequests + sum('requests'),
      canaryErrors: canaryErrors + sum('errors'),
    };
  }

  #decide(): void {
    this.#cluster = controlled(this.#cluster, this.#nowMs);
    const world = look(this.#cluster, this.#scenario.spec, this.#reading.answer, this.#nowMs);
    const decision = decide(world, this.#nowMs);
    const isNews = decision.memory !== this.#cluster.memory || decision.effects.length > 0;
    const written: Cluster = { ...this.#cluster, memory: decision.memory };
    this.#cluster = decision.effects.reduce((next, effect) => obey(next, effect, this.#nowMs), written);
    this.#reading.follow(decision.memory.journal.attempt, this.#nowMs);
    this.#hear(decision);
    const wakeMs = isNews ? echoMs : Math.max(echoMs, decision.wakeAfterMs ?? 60_000);
    this.#decideAtMs = Math.min(this.#nowMs + wakeMs, nextChangeMs(this.#cluster, this.#nowMs));
  }

  #hear({ events, effects }: Decision): void {
    for (const { reason, message } of events) this.#said.push({ atMs: this.#nowMs - beganMs, reason, message });
    const sinceMs = this.#nowMs - Math.max(this.#badSinceMs(), 0);
    const { attempt } = this.#cluster.memory.journal;
    if (attempt?.brake !== undefined) this.#run = { ...this.#run, brakedAfterMs: this.#run.brakedAfterMs ?? sinceMs };
    if (attempt?.retreat !== undefined) this.#run = { ...this.#run, backAfterMs: this.#run.backAfterMs ?? sinceMs };
    const end = effects.find((effect) => effect.kind === 'endRecord');
    if (end !== undefined) this.#run = { ...this.#run, outcome: end.outcome, endMs: this.#nowMs - beganMs };
  }

  #note(): void {
    const { logHarm, logAccept, level } = this.#reading.verdict;
    const weightPercent = this.#cluster.weightPercent ?? 0;
    this.#moments.push({ atMs: this.#nowMs - beganMs, weightPercent, logHarm, logAccept, level });
  }

  #badSinceMs(): number {
    return this.#firstRequestMs === undefined ? Infinity : this.#firstRequestMs + this.#scenario.onsetMs;
  }

  #onsetAtMs(): number {
    const atMs = this.#badSinceMs();
    return atMs > this.#nowMs ? atMs : Infinity;
  }
}
