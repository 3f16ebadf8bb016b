/**
 * What a suite can need of a cluster, and the sentence when the cluster does not have it. A suite that says what it needs is
 * skipped with that sentence; it never fails for the cluster's sake, and never passes without having run.
 */

const words = {
  admission: 'MutatingAdmissionPolicy v1 (Kubernetes 1.36)',
  routes: 'the kinds of the Gateway API',
  pods: 'pods that run serin.test/workload',
  gateway: 'a gateway',
  prometheus: 'a Prometheus',
  audit: 'an audit log',
  people: 'people with different rights',
  webhooks: 'an API server that calls webhooks on this machine',
} as const;

export type Need = keyof typeof words;

/** For clusters to say what they have. */
export type Has = Readonly<Record<Need, boolean>>;

/** Undefined when nothing is missing. */
export function missing(
  cluster: { readonly provider: string; readonly has: Has },
  needs: readonly Need[],
): string | undefined {
  const lacking = needs.filter((need) => !cluster.has[need]);
  if (lacking.length === 0) return undefined;
  return `needs ${lacking.map((need) => words[need]).join(', ')}; the cluster here (${cluster.provider}) has none`;
}

/** The name of a suite or test that does not run here. The end of a test run shows the reason: see build/test-report.ts. */
export function notRun(sentence: string, reason: string): string {
  return `${sentence} (did not run: ${reason})`;
}
