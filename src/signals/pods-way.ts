// Decides how the pods' own counters are read in one attempt: by scraping them, or by asking the source that scrapes them. It is
// decided once, before the first window and by what stable shows, because two ways would count requests twice.
import type { EngineReader } from './engine-reader.ts';
import type { Choice } from './picture.ts';
import { scrapeJob } from './pod-scraper.ts';

export type Way = 'scraped' | 'asked';

/**
 * Pods that do not answer are waited for this long; then the source is asked. Well within the time after which others judge
 * without a reader that only fails, or pods that cannot be scraped would not be read at all.
 */
const patienceMs = 10_000;

export class PodsWay {
  #decided: Way | undefined;

  /** `choice`: what an earlier operator read. */
  constructor(choice: Choice | undefined) {
    this.#decided = choice && (choice.job === scrapeJob ? 'scraped' : 'asked');
  }

  get isScraped(): boolean {
    return this.#decided === 'scraped';
  }

  /** `lost`: this attempt began with scraping, which is not possible any more. */
  now(canScrape: boolean): Way | 'lost' {
    if (this.#decided === 'scraped' && !canScrape) return 'lost';
    return this.#decided ?? (canScrape ? 'scraped' : 'asked');
  }

  /** After an answer, or none, on this way. */
  settle(reader: EngineReader, way: Way, nowMs: number): void {
    if (this.#decided) return;
    const { failing } = reader;
    const isHopeless = failing ? nowMs - failing.sinceMs > patienceMs : reader.isSettled;
    if (way === 'asked' || reader.hasStable) this.#decided = way;
    else if (isHopeless) this.#goOver(reader, nowMs);
  }

  #goOver(reader: EngineReader, nowMs: number): void {
    this.#decided = 'asked';
    reader.reopen(nowMs);
  }
}
