/** `serin simulate`: what it prints, what it writes, how it ends. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trial } from './trial.ts';

const bad = `traffic: { perSecond: 200 }
errors: { stable: 0.1%, canary: 50% }
strategy: { steps: [{ weight: 25, atLeast: 10s }], bake: 30s }
runs: 3
`;
const files = { 'bad.yaml': bad, 'good.yaml': bad.replace('50%', '0.1%'), 'broken.yaml': 'errors: {}' };

test('it says how the releases ended, draws one, and needs no cluster', async () => {
  const { said, serin } = trial({ files, hasNoCluster: true });
  expect(await serin('simulate bad.yaml')).toBe(0);
  expect(said.err).toBe('');
  expect(said.out).toMatch(/^rolled back +3 of 3 /m);
  expect(said.out).toMatch(/^braked +3 of 3 /m);
  expect(said.out).toContain('Release 1 of 3, rolled back:');
  expect(said.out).toMatch(/^harm .*█+ .*full: 1000 : 1$/m);
  expect(said.out).toMatch(/Errors: The new version fails/);
});

test('the same line says the same, and another seed something else', async () => {
  const outputs = await Promise.all(
    ['simulate bad.yaml', 'simulate bad.yaml', 'simulate bad.yaml --seed 2 --runs 2'].map(async (line) => {
      const { said, serin } = trial({ files });
      await serin(line);
      return said.out;
    }),
  );
  expect(outputs[1]).toBe(outputs[0]);
  expect(outputs[2]).not.toBe(outputs[0]);
  expect(outputs[2]).toContain('2 of 2');
});

test('as JSON it has the scenario, the summary and the release that was drawn', async () => {
  const { said, serin } = trial({ files });
  expect(await serin('simulate good.yaml -o json --draw 2')).toBe(0);
  expect(JSON.parse(said.out)).toMatchObject({
    scenario: { perSecond: 200, runs: 3 },
    summary: { releases: 3, ends: [{ outcome: 'Promoted', releases: 3 }] },
    drawn: { number: 2, outcome: 'Promoted' },
  });
});

test('the picture is a file of its own', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'serin-simulate-'));
  try {
    const path = join(directory, 'release.svg');
    expect(await trial({ files }).serin(`simulate bad.yaml --svg ${path}`)).toBe(0);
    const svg = readFileSync(path, 'utf8');
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(svg.match(/<polyline/g)).toHaveLength(3);
    expect(svg).not.toContain('NaN');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the exit code says how most ended, when it is asked for', async () => {
  expect(await trial({ files }).serin('simulate bad.yaml --exit-status')).toBe(3);
  expect(await trial({ files }).serin('simulate good.yaml --exit-status')).toBe(0);
});

test.each([
  ['simulate broken.yaml', 1, 'error: broken.yaml is no scenario: traffic: '],
  ['simulate missing.yaml', 1, 'missing.yaml'],
  ['simulate bad.yaml --draw 4', 2, 'error: release 4 cannot be drawn: there are only 3'],
  ['simulate', 2, "missing required argument 'file'"],
])('%s: exit code %d and one line', async (line, code, words) => {
  const { said, serin } = trial({ files });
  expect(await serin(line)).toBe(code);
  expect(said.err).toContain(words);
  expect(said.err.trimEnd().split('\n')).toHaveLength(1);
});
