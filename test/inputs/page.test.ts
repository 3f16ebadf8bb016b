// The page about bad input says what the suites of this folder saw, row by row and nothing else.
import { readFileSync } from 'node:fs';
import { REASONS } from '../../src/api/reasons.ts';
import { objectFaults } from './object-faults.ts';
import { faultTables } from './page.ts';
import { podFaults } from './pod-faults.ts';

const page = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8');

test.each([...faultTables()])('%s: the page has the rows that were tried', (heading, table) => {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const lines = own.split('\n').filter((line) => line.startsWith('|'));
  expect(lines).toEqual(table.split('\n'));
});

test('the page has no table that nobody tried', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
  const withTables = headings.filter((heading) =>
    page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0]?.includes('\n|'),
  );
  expect(withTables).toEqual([...faultTables().keys()]);
});

test('every reason of the tables is one that asks its reader to act', () => {
  for (const { reason } of [...objectFaults, ...podFaults]) expect(REASONS[reason][0]).toBe('user');
});
