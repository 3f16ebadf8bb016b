/** Owns the file in which the releases of the past are kept with all that was counted around them, to look at them again later. */
import * as z from 'zod';
import type { Window } from '../../analysis/engine.ts';
import type { EngineName } from '../../analysis/judge.ts';
import type { EffectiveAnalysis } from '../../api/effective.ts';
import { pinnedAnalysisSchema } from '../../api/pinned.ts';
import { CliError } from '../failure.ts';
import type { PastRelease } from './releases.ts';
import type { PastWindows } from './replay.ts';

export interface Recording {
  readonly namespace: string;
  readonly deployment: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** How long each was looked at. */
  readonly lookMs: number;
  /** How the Rollout was judged when this was written down. */
  readonly analysis: EffectiveAnalysis;
  readonly releases: readonly RecordedRelease[];
}

/** `counted` is absent where nothing was counted of the pods of that time. */
export interface RecordedRelease extends PastRelease {
  readonly counted?: PastWindows;
}

const KIND = 'SerinPastReleases';
const VERSION = 1;

const hash = z.string().regex(/^[a-z0-9]{1,32}$/);
const counts = z.object({ requests: z.number().min(0), errors: z.number().min(0) });
const histogram = z.object({ upperBounds: z.array(z.number()), counts: z.array(z.number()) });
const windowSchema = z.object({
  startMs: z.number(),
  endMs: z.number(),
  lengthMs: z.number().min(0),
  canary: counts,
  stable: counts,
  canaryGroups: z.array(counts).max(4),
  latency: z.object({ canary: histogram, stable: histogram, canaryGroups: z.array(histogram).max(4) }).optional(),
});
const recordingSchema = z.object({
  kind: z.literal(KIND),
  version: z.literal(VERSION),
  namespace: z.string(),
  deployment: z.string(),
  fromMs: z.number(),
  untilMs: z.number(),
  lookMs: z.number().positive(),
  analysis: pinnedAnalysisSchema,
  releases: z.array(
    z.object({
      atMs: z.number(),
      from: hash,
      to: hash,
      endedAtMs: z.number().optional(),
      isUndone: z.boolean(),
      counted: z.object({ reader: z.enum(['app', 'gateway']), windows: z.array(windowSchema).min(1) }).optional(),
    }),
  ),
});

/** JSON has no infinity, with which every histogram ends. */
export function recordingText(recording: Recording): string {
  return `${JSON.stringify({ kind: KIND, version: VERSION, ...recording }, (_key, value: unknown) => (value === Infinity ? 1e308 : value))}\n`;
}

/** Throws a CliError that names the file. */
export function recordingIn(text: string, path: string): Recording {
  const parsed = recordingSchema.safeParse(jsonIn(text, path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(
      `${path} holds no releases of the past: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; "serin backtest --save" writes such files`,
    );
  }
  const { kind: _kind, version: _version, releases, ...rest } = parsed.data;
  return { ...rest, releases: releases.map(releaseOf) };
}

type Read = z.infer<typeof recordingSchema>['releases'][number];

function releaseOf({ endedAtMs, counted, ...release }: Read): RecordedRelease {
  return {
    ...release,
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(counted === undefined
      ? {}
      : { counted: { reader: counted.reader satisfies EngineName, windows: counted.windows.map(windowOf) } }),
  };
}

function windowOf({ latency, ...window }: z.infer<typeof windowSchema>): Window {
  if (latency === undefined) return window;
  const whole = (one: z.infer<typeof histogram>) => ({
    ...one,
    upperBounds: one.upperBounds.map((bound) => (bound >= 1e308 ? Infinity : bound)),
  });
  return {
    ...window,
    latency: {
      canary: whole(latency.canary),
      stable: whole(latency.stable),
      canaryGroups: latency.canaryGroups.map(whole),
    },
  };
}

function jsonIn(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${path} is not JSON`);
  }
}
