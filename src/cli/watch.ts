/** `serin watch`: shows one Rollout as it changes and, if asked, ends with the outcome of its release as the exit code. */
import { EXIT } from '../api/reasons.ts';
import { CliError, failureOf } from './failure.ts';
import { follow, type Sight } from './follow.ts';
import { liveTemplate } from './live-template.ts';
import type { RolloutObject } from './objects.ts';
import {
  type Ending,
  endingOf,
  type LiveTemplate,
  mayHaveEnded,
  nothingWatched,
  type Watched,
  watchedAfter,
} from './outcome.ts';
import { type GlobalOptions, type Surroundings, withSession } from './session.ts';
import { changeKey, Picture } from './picture.ts';

export interface WatchOptions extends GlobalOptions {
  /** End with the release, and with its outcome as exit code. */
  readonly exitStatus: boolean;
  readonly timeoutMs?: number | undefined;
}

/** With `exitStatus`: 0 released, 3 rolled back, 4 a person is needed. Always: 5 timed out, 6 not found or forbidden. */
export async function watch(name: string, options: WatchOptions, around: Surroundings): Promise<number> {
  return withSession(around, options, (session) =>
    watching(follow(session, name, around, 1000), { name, ...options }, around, (rollout) =>
      liveTemplate(rollout, session),
    ),
  );
}

type LiveQuestion = (rollout: RolloutObject) => Promise<LiveTemplate>;

/** The same over any stream of sights; tests give their own. */
export async function watching(
  sights: AsyncIterable<Sight>,
  options: WatchOptions & { readonly name: string },
  around: Surroundings,
  live: LiveQuestion,
): Promise<number> {
  const { clock, terminal, programName } = around;
  const picture = new Picture(terminal, clock);
  const startMs = clock.monotonicMs();
  const release = new WatchedRelease(live);
  let hasTrouble = false;
  for await (const sight of sights) {
    const nowMs = clock.monotonicMs();
    if (sight.kind === 'deleted')
      throw new CliError(`rollout ${options.name} was deleted while it was watched`, EXIT.notFoundOrForbidden);
    if (sight.kind === 'trouble' && !hasTrouble)
      terminal.complain(`${failureOf(sight.error, programName).line}; trying again`);
    if (sight.kind !== 'tick') hasTrouble = sight.kind === 'trouble';
    if (sight.kind === 'rollout') release.see(sight.rollout, nowMs);
    picture.show(release.rollout);
    const ending = options.exitStatus ? await release.ending(nowMs) : undefined;
    if (ending !== undefined) return ended(ending, around);
    if (options.timeoutMs !== undefined && nowMs - startMs >= options.timeoutMs)
      throw timedOut(options, release.rollout);
  }
  return EXIT.done;
}

/** What was seen of the release, and since when it stands where it stands. */
class WatchedRelease {
  readonly #live: LiveQuestion;
  #watched: Watched = nothingWatched;
  #sinceMs = 0;
  #key: string | undefined;
  rollout: RolloutObject | undefined;

  constructor(live: LiveQuestion) {
    this.#live = live;
  }

  see(rollout: RolloutObject, nowMs: number): void {
    const key = changeKey(rollout);
    if (key !== this.#key) [this.#key, this.#sinceMs] = [key, nowMs];
    this.#watched = watchedAfter(this.#watched, rollout);
    this.rollout = rollout;
  }

  async ending(nowMs: number): Promise<Ending | undefined> {
    const { rollout } = this;
    if (rollout === undefined || !mayHaveEnded(rollout)) return undefined;
    return endingOf(this.#watched, rollout, await this.#live(rollout), nowMs - this.#sinceMs);
  }
}

function ended({ exitCode, sentence }: Ending, { terminal }: Surroundings): number {
  if (exitCode !== EXIT.done)
    terminal.complain(exitCode === EXIT.rolledBack ? `rolled back: ${sentence}` : `needs a person: ${sentence}`);
  return exitCode;
}

function timedOut(
  { name, timeoutMs = 0 }: WatchOptions & { readonly name: string },
  rollout: RolloutObject | undefined,
): CliError {
  const message = rollout?.status?.message ?? 'Serin has not looked at it yet; is the operator running?';
  return new CliError(
    `timed out after ${Math.round(timeoutMs / 1000)}s watching rollout ${name}: ${message}`,
    EXIT.timedOut,
  );
}
