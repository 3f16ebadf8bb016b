/** The core takes time as data and returns a decision: it never waits, never asks a clock and never throws dice. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FORBIDDEN = [
  /\basync\b/,
  /\bawait\b/,
  /\bPromise\b/,
  /\bMath\.random\b/,
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bsetTimeout\b/,
  /\bprocess\b/,
];
const src = join(import.meta.dirname, '..');

function sourcesOf(folder: string): readonly string[] {
  return readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(src, folder, name));
}

/** The code without its comments, which may speak of anything. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
}

test.each(['release', 'analysis'])('no file of %s waits, asks a clock or throws dice', (folder) => {
  const files = sourcesOf(folder);
  expect(files.length).toBeGreaterThan(10);
  const found = files.flatMap((file) =>
    FORBIDDEN.filter((word) => word.test(codeOf(file))).map((word) => `${file}: ${word}`),
  );
  expect(found).toEqual([]);
});
