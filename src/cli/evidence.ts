/** Reads the judge's own state out of status and lets the judge put it into figures; what another version wrote is left out, never guessed. */
import { type EvidenceView, evidenceView } from '../analysis/explain.ts';
// oxlint-disable-next-line no-restricted-imports -- the one definition of what status keeps; a second reader would drift from it
import { restoreEvidence, type SavedEvidence } from '../signals/saved.ts';
import { isRecord } from './manifests.ts';

export interface ReadEvidence extends EvidenceView {
  /** The multiple of the old rate beyond which extra errors are to be ruled out. */
  readonly ruleOutRatio: number;
}

/** Undefined when nothing was judged yet, or a Serin of another version wrote it. */
export function readEvidence(evidence: unknown): ReadEvidence | undefined {
  if (!isSaved(evidence)) return undefined;
  const restored = restoreEvidence(evidence, evidence.key, evidence.settings);
  if (restored === undefined) return undefined;
  return { ...evidenceView(restored.judge, evidence.settings), ruleOutRatio: evidence.settings.ruleOut.ratio };
}

/** As far as one has to know before the judge's own reader looks closer. */
function isSaved(value: unknown): value is SavedEvidence {
  return (
    isRecord(value) &&
    value['version'] === 1 &&
    typeof value['key'] === 'string' &&
    isRecord(value['settings']) &&
    isRecord(value['judge']) &&
    Array.isArray(value['engines'])
  );
}
