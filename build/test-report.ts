/** Reads Jest's own report and adds reports up; it never counts a suite that could not start as a success. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 };

export function plus(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** `json`: what `jest --json` wrote; absent when Jest itself did not get so far, which is one failure. */
export function readReport(json: string | undefined): Counts {
  const report = json === undefined ? undefined : reportIn(json);
  if (report === undefined) return { ...noCounts, failed: 1 };
  const {
    numPassedTests,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    numRuntimeErrorTestSuites,
    numTotalTestSuites,
  } = report;
  const isEmpty = numTotalTestSuites === 0;
  return {
    passed: numPassedTests,
    failed: numFailedTests + numRuntimeErrorTestSuites + (isEmpty ? 1 : 0),
    skipped: numPendingTests + numTodoTests,
  };
}

/** As `notRun` of the test cluster ends the name of a suite or test. */
const reasonIn = /\(did not run: (?<reason>.*)\)$/s;

/**
 * What was skipped, a line for each file and reason, as `test/a.test.ts: needs a gateway (3 tests)`. A skipped test that says no
 * reason is told too: nothing may disappear in silence.
 */
export function skippedIn(json: string | undefined, root: string): string[] {
  const report = json === undefined ? undefined : reportIn(json);
  const counts = new Map<string, number>();
  for (const { name, assertionResults } of report?.testResults ?? []) {
    const file = name.startsWith(root) ? name.slice(root.length) : name;
    for (const { status, ancestorTitles, title } of assertionResults) {
      if (status !== 'pending') continue;
      const reason = [...ancestorTitles, title].flatMap((text) => reasonIn.exec(text)?.groups?.['reason'] ?? [])[0];
      const line = `${file}: ${reason ?? `no reason is given for “${title}”`}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
  }
  return [...counts].map(([line, count]) => `${line} (${count} ${count === 1 ? 'test' : 'tests'})`);
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numTotalTestSuites: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
    }[];
  }[];
}

function reportIn(json: string): Report | undefined {
  try {
    const parsed: Report = JSON.parse(json);
    return typeof parsed.numPassedTests === 'number' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The last line of every run. */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `Tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}
