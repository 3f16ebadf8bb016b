// Looks at the alerts that a Rollout names, while an attempt runs. It decides nothing about the release: it says which of them fire
// and count, and why some cannot be seen. Silence is never a verdict (S7).
import type { Answer } from '../analysis/answer.ts';
import { AlertWatch, type FiringAlert, type WatchedAlert } from './alert-watch.ts';
import { alertQuery } from './alert-query.ts';
import type { Fetched } from './fetched.ts';
import type { NamedAlert } from './firing-alerts.ts';

export type { FiringAlert, WatchedAlert } from './alert-watch.ts';

export interface AlertSubject {
  readonly watched: readonly WatchedAlert[];
  /** When the attempt began, whichever of its judges speaks; milliseconds since the epoch. */
  readonly beganAtMs: number;
  /** What an earlier operator, or an earlier judge of the same attempt, has written down. */
  readonly saved?: unknown;
}

/** Plain JSON, at most a few kilobytes. */
export type SavedAlerts = readonly unknown[];

/** Which alerts a query finds firing; `atMs`: at that moment instead of now. */
export type AskAlerts = (query: string, atMs?: number) => Promise<Fetched<readonly NamedAlert[]>>;

const betweenLooksMs = 5_000;
const longestRetryAfterMs = 60_000;
/** More of them do not fit into a sentence. */
const mostSaid = 3;

export class AlertReader {
  isBusy = false;
  readonly #watches: readonly AlertWatch[];
  readonly #beganAtMs: number;
  #dueMs: number;

  constructor(subject: AlertSubject | undefined) {
    const { watched = [], beganAtMs = 0, saved } = subject ?? {};
    this.#watches = watched.map((one) => new AlertWatch(one, Array.isArray(saved) ? saved : []));
    this.#beganAtMs = beganAtMs;
    this.#dueMs = watched.length === 0 ? Infinity : 0;
  }

  /** When to look again, on the operator's clock. */
  get dueMs(): number {
    return this.isBusy ? Infinity : this.#dueMs;
  }

  /** Undefined while nothing was seen. */
  get saved(): SavedAlerts | undefined {
    const seen = this.#watches.flatMap(({ saved }) => (saved === undefined ? [] : [saved]));
    return seen.length === 0 ? undefined : seen;
  }

  /** Those that count now, the gravest first; an alert that two matchers name is said once. */
  firing(nowMs: number): readonly FiringAlert[] {
    const all = this.#watches.flatMap((watch) => watch.firing(nowMs));
    const gravest = all.toSorted((one, other) => Number(other.do === 'rollback') - Number(one.do === 'rollback'));
    return gravest.filter(({ sentence }, index) => gravest.findIndex((one) => one.sentence === sentence) === index);
  }

  /** Looks once at every kind of alert. `namespaceLabel`, with `namespace`: only alerts that carry it are the tenant's. */
  async look(
    ask: AskAlerts,
    now: () => number,
    hadTraffic: boolean,
    { namespace, namespaceLabel }: { readonly namespace: string; readonly namespaceLabel: string | undefined },
  ): Promise<void> {
    this.isBusy = true;
    try {
      const own = namespaceLabel === undefined ? undefined : { label: namespaceLabel, value: namespace };
      const pausesMs = await Promise.all(
        this.#watches.map(async (watch) => {
          const query = alertQuery(watch.watched.matching, own);
          if (query.kind === 'query') return this.#lookAt(watch, query.query, ask, now, hadTraffic);
          watch.refuse(`Serin does not ask for them: ${query.why}`);
          return 0;
        }),
      );
      this.#dueMs = now() + Math.max(betweenLooksMs, ...pausesMs);
    } catch (error) {
      this.#dueMs = now() + betweenLooksMs;
      throw error;
    } finally {
      this.isBusy = false;
    }
  }

  /** The answer with what people have to know about alerts that are not held against the release, or cannot be seen. */
  addTo(answer: Answer): Answer {
    if (answer.kind !== 'judged' && answer.kind !== 'noEvidence') return answer;
    const excused = [...new Set(this.#watches.flatMap((watch) => watch.excused))].slice(0, mostSaid);
    const notes = [
      ...excused.map((name) => `Alert ${name} fired before this release began and is not held against it.`),
      ...this.#watches.flatMap(({ watched, silence }) =>
        silence === undefined
          ? []
          : [`Alerts matching ${watched.matching} are not seen: ${silence.replace(/\.$/, '')}.`],
      ),
    ];
    return notes.length === 0 ? answer : { ...answer, sentence: [answer.sentence, ...notes].join(' ') };
  }

  /** Milliseconds for which the source does not want to be asked again. */
  async #lookAt(
    watch: AlertWatch,
    query: string,
    ask: AskAlerts,
    now: () => number,
    hadTraffic: boolean,
  ): Promise<number> {
    const before = watch.needsBefore ? await ask(query, this.#beganAtMs) : undefined;
    const found = before?.kind === 'down' ? before : await ask(query);
    watch.take(found, before?.kind === 'ok' ? before.value : undefined, hadTraffic, now());
    return found.kind === 'down' ? Math.min(found.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
  }
}
