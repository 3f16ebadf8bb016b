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

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numTotalTestSuites: number;
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
