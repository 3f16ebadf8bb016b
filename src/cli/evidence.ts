/** Reads the judge's own state out of status and lets the judge put it into figures; what another version wrote is left out, never guessed. */
import { type EvidenceView, evidenceView } from '../analysis/view.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
// oxlint-disable-next-line no-restricted-imports -- as below
import { costSaid } from '../signals/cost-saved.ts';
// oxlint-disable-next-line no-restricted-imports -- as below
import { type Learned, learnedIn } from '../signals/learned.ts';
// oxlint-disable-next-line no-restricted-imports -- the one definition of what status keeps; a second reader would drift from it
import { type Restored, restoreEvidence, type SavedEvidence } from '../signals/saved.ts';
import { isRecord } from './manifests.ts';

export interface ReadEvidence extends EvidenceView {
  readonly settings: JudgeSettings;
  /** What they rest on, of the time before. */
  readonly learned?: Learned;
  /** What was last said about the cost, where that is asked for. */
  readonly cost?: string;
}

/** Undefined when nothing was judged yet, or a Serin of another version wrote it. */
export function readEvidence(evidence: unknown): ReadEvidence | undefined {
  const restored = restoredEvidence(evidence);
  if (restored === undefined) return undefined;
  const { saved, judge } = restored;
  const cost = costSaid(saved.cost);
  const learned = learnedIn(saved.learned);
  return {
    ...evidenceView(judge, saved.settings),
    settings: saved.settings,
    ...(learned ? { learned } : {}),
    ...(cost === undefined ? {} : { cost: cost.sentence }),
  };
}

/** The judge itself, after it has gone through all events that are kept. */
export function restoredEvidence(evidence: unknown): (Restored & { readonly saved: SavedEvidence }) | undefined {
  if (!isSaved(evidence)) return undefined;
  const restored = restoreEvidence(evidence, evidence.key, evidence.settings);
  return restored && { ...restored, saved: evidence };
}

/** As far as one has to know before the judge's own reader looks closer. */
function isSaved(value: unknown): value is SavedEvidence {
  return (
    isRecord(value) &&
    value['version'] === 2 &&
    typeof value['key'] === 'string' &&
    typeof value['events'] === 'string' &&
    isRecord(value['settings']) &&
    isRecord(value['judge']) &&
    Array.isArray(value['metrics']) &&
    Array.isArray(value['readers'])
  );
}
