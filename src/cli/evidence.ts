/** Reads the judge's own state out of status and lets the judge put it into figures; what another version wrote is left out, never guessed. */
import { type EvidenceView, evidenceView } from '../analysis/explain.ts';
// oxlint-disable-next-line no-restricted-imports -- the one definition of what status keeps; a second reader would drift from it
import { restoreEvidence, type SavedEvidence } from '../signals/saved.ts';
import { isRecord } from './manifests.ts';

/** Undefined when nothing was judged yet, or a Serin of another version wrote it. */
export function readEvidence(evidence: unknown): EvidenceView | undefined {
  if (!isSaved(evidence)) return undefined;
  const restored = restoreEvidence(evidence, evidence.key, evidence.settings);
  return restored === undefined ? undefined : evidenceView(restored.judge, evidence.settings);
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
