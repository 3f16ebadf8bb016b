/** The sum at the end of a test run. */
import { noCounts, plus, readReport, skippedIn, summaryLine } from './test-report.ts';

const report = (changes: object): string =>
  JSON.stringify({
    numPassedTests: 12,
    numFailedTests: 0,
    numPendingTests: 2,
    numTodoTests: 1,
    numRuntimeErrorTestSuites: 0,
    numTotalTestSuites: 3,
    ...changes,
  });

test('the last line counts passed, failed and skipped tests of all runs together', () => {
  const sum = plus(readReport(report({})), readReport(report({ numFailedTests: 1 })));
  expect(summaryLine(sum)).toBe('Tests: 24 passed, 1 failed, 6 skipped');
});

test('a suite that cannot even be loaded is a failure', () => {
  expect(readReport(report({ numRuntimeErrorTestSuites: 2 })).failed).toBe(2);
});

test('a run that finds no suite at all is a failure', () => {
  expect(readReport(report({ numPassedTests: 0, numTotalTestSuites: 0 })).failed).toBe(1);
});

test.each([undefined, '', 'not json', '{}'])('a report that Jest did not finish is a failure: %p', (json) => {
  expect(readReport(json)).toEqual({ ...noCounts, failed: 1 });
});

test('what was skipped is told with its reason, a line for each file and reason, and so is what gives none', () => {
  const skipped = (ancestorTitles: readonly string[], title: string) => ({ status: 'pending', ancestorTitles, title });
  const testResults = [
    {
      name: '/repo/test/a.cluster.test.ts',
      assertionResults: [
        skipped(['a suite (did not run: needs a gateway; none here)', 'a part'], 'one'),
        skipped(['a suite (did not run: needs a gateway; none here)'], 'two'),
        skipped([], 'three (did not run: needs pods)'),
        skipped([], 'four'),
        { status: 'passed', ancestorTitles: [], title: 'five' },
      ],
    },
  ];
  expect(skippedIn(report({ testResults }), '/repo/')).toEqual([
    'test/a.cluster.test.ts: needs a gateway; none here (2 tests)',
    'test/a.cluster.test.ts: needs pods (1 test)',
    'test/a.cluster.test.ts: no reason is given for “four” (1 test)',
  ]);
  expect(skippedIn(undefined, '/repo/')).toEqual([]);
});
