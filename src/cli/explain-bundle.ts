/** Writes down what a verdict was reached from, and goes through it again: the same verdict to the last bit, or what differs. It never asks a cluster. */
import { createHash } from 'node:crypto';
import type { Course } from '../analysis/course.ts';
import type { JudgeState } from '../analysis/judge.ts';
import { judgedAnswer } from '../analysis/explain.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import { verdictOf } from '../analysis/verdict.ts';
import { oddsWords } from '../analysis/words.ts';
import { restoredEvidence } from './evidence.ts';
import { isRecord } from './manifests.ts';
import type { RolloutObject } from './objects.ts';

/** What the judge said; numbers are written so that they read back as the same bits. */
interface Claims {
  readonly level: string;
  readonly culprit?: string;
  readonly logHarm: number;
  readonly logHarmUncapped: number;
  readonly logAccept: number;
  readonly logStepAccept: number;
  readonly sentence: string;
}

export interface Bundle {
  readonly kind: 'SerinReplayBundle';
  readonly version: 1;
  readonly rollout: string;
  /** What the judge began with, by which settings, and all that happened then; as status keeps it. */
  readonly evidence: unknown;
  readonly claims: Claims;
  /** Of all of the above, to tell a bundle that was changed by mistake. Whoever changes it on purpose can compute it anew. */
  readonly sha256: string;
}

export interface Replay {
  readonly isSame: boolean;
  readonly lines: readonly string[];
}

/** Undefined when status holds nothing that was judged. */
export function bundleOf({ metadata, status }: RolloutObject): Bundle | undefined {
  const evidence = status?.evidence;
  const restored = restoredEvidence(evidence);
  if (restored === undefined) return undefined;
  const content = {
    kind: 'SerinReplayBundle',
    version: 1,
    rollout: `${metadata.namespace ?? ''}/${metadata.name}`,
    evidence,
    claims: claimsOf(restored.judge, restored.saved.settings),
  } as const;
  return { ...content, sha256: digestOf(content) };
}

/** `text`: what `bundleOf` gave, as JSON. Throws, in words, when it is no such thing. */
export function replayOf(text: string, path: string): Replay {
  const bundle = bundleIn(text, path);
  const restored = restoredEvidence(bundle.evidence);
  if (restored === undefined)
    return {
      isSame: false,
      lines: [`${path}: the evidence in it cannot be read; was it written by another version of Serin?`],
    };
  const { sha256, ...content } = bundle;
  const found = claimsOf(restored.judge, restored.saved.settings);
  const differing = differences(bundle.claims, found);
  const isWhole = digestOf(content) === sha256;
  return {
    isSame: isWhole && differing.length === 0,
    lines: [
      `Rollout ${bundle.rollout}, attempt ${restored.saved.key}: ${told(restored.course)}`,
      found.sentence,
      `level ${found.level}${found.culprit === undefined ? '' : ` by ${found.culprit}`}, evidence of harm ${oddsWords(found.logHarm)}, of health ${oddsWords(found.logAccept)}`,
      ...(isWhole ? [] : [`${path} was changed after it was written: its checksum is another one.`]),
      ...(differing.length === 0
        ? ['The same verdict, bit for bit.']
        : ['Not the same verdict:', ...differing.map((line) => `  ${line}`)]),
    ],
  };
}

function claimsOf(judge: JudgeState, settings: JudgeSettings): Claims {
  const { level, culprit, logHarm, logHarmUncapped, logAccept, logStepAccept } = verdictOf(judge, settings);
  const { sentence } = judgedAnswer(judge, settings, 0, true);
  return {
    level,
    ...(culprit === undefined ? {} : { culprit }),
    logHarm,
    logHarmUncapped,
    logAccept,
    logStepAccept,
    sentence,
  };
}

function told({ from, events }: Course): string {
  const windows = events.filter(({ kind }) => kind === 'window').length;
  const before = from.metrics.flatMap(({ engines }) =>
    engines.map(({ state }) => (state.kind === 'count' ? state : state.slow)),
  );
  const earlier = Math.max(0, ...before.map((counts) => counts.windows));
  const since =
    earlier === 0
      ? 'all windows of the attempt'
      : `the last windows; the ${earlier} before them are in the state that it begins with`;
  return `went through ${windows} windows again, ${since}.`;
}

function differences(claimed: Claims, found: Claims): readonly string[] {
  const names = [...new Set([...Object.keys(claimed), ...Object.keys(found)])];
  const valueOf = (claims: Claims, name: string) =>
    JSON.stringify(Object.entries(claims).find(([key]) => key === name)?.[1]);
  return names
    .filter((name) => valueOf(claimed, name) !== valueOf(found, name))
    .map((name) => `${name}: ${valueOf(claimed, name)} was claimed, ${valueOf(found, name)} was found`);
}

function bundleIn(text: string, path: string): Bundle {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no replay bundle: it is not JSON`, { cause: error });
  }
  const isBundle =
    isRecord(value) && value['kind'] === 'SerinReplayBundle' && value['version'] === 1 && isRecord(value['claims']);
  if (!isBundle) throw new Error(`${path} is no replay bundle of this version: \`explain NAME --bundle\` writes one`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each claim is only compared, and the evidence is checked by its reader
  return value as object as Bundle;
}

function digestOf(content: object): string {
  return createHash('sha256').update(canonical(content)).digest('hex');
}

/** Whatever the order in which a program has written the fields. */
function canonical(thing: unknown): string {
  return JSON.stringify(thing, (_, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
