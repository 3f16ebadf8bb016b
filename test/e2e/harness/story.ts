/** What a story is: something that is played several times on a scene, and the figures that come of it. */
import type { Scene, SceneOptions } from './scene.ts';

/** What one playing gave: numbers and words for the table, and what was not as it should be. */
export interface Row {
  readonly problems: readonly string[];
  readonly [measure: string]: unknown;
}

export interface Figure {
  readonly what: string;
  readonly seen: string;
  /** What was asked for; absent for figures that are only told. */
  readonly goal?: string;
  readonly holds?: boolean;
}

export interface Story {
  readonly name: string;
  readonly title: string;
  readonly times: number;
  /** It takes away what others need, or nothing may disturb it: nothing else is played beside it. */
  readonly alone: boolean;
  /** About how long all its times take: the longest begin first. */
  readonly minutes: number;
  readonly scene: SceneOptions;
  play(scene: Scene, index: number): Promise<Row>;
  figures(rows: readonly Row[]): readonly Figure[];
  /** A table of the single playings, where they are worth showing. */
  details?(rows: readonly Row[]): readonly (readonly string[])[];
}

/** Collects what was not as it should be, each with what was seen instead. */
export class Checks {
  readonly problems: string[] = [];

  expect(holds: boolean, sentence: string): void {
    if (!holds) this.problems.push(sentence);
  }
}

/** The numbers under one name over all rows; rows that failed before they had one are left out. */
export function numbersOf(rows: readonly Row[], measure: string): number[] {
  return rows.map((row) => row[measure]).filter((value) => typeof value === 'number');
}

/** What one row says under this name, for tables; `-` when the story failed before it had one. */
export function textOf(row: Row, measure: string): string {
  const value = row[measure];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '-';
}

/** A figure with a goal. */
export function goal(what: string, seen: string, asked: string, holds: boolean): Figure {
  return { what, seen, goal: asked, holds };
}

/** A figure that is only told. */
export function told(what: string, seen: string): Figure {
  return { what, seen };
}

export function seconds(ms: number | undefined): string {
  return ms === undefined || Number.isNaN(ms) ? 'not seen' : `${(ms / 1000).toFixed(1)} s`;
}
