/** Says what uninstalling would take away, and what stands in its way; it writes nothing. */
import type { Traces } from '../controller/traces.ts';
import { keyOf } from '../kube/resources.ts';
import type { Installation } from './installation.ts';
import type { RolloutObject } from './objects.ts';

/** One line for each part, in the order in which it goes. */
export function planLines(
  traces: Traces,
  installation: Installation,
  namespace: string | undefined,
): readonly string[] {
  const { rollouts, deployments: marked } = traces;
  const pieces = (count: number, one: string, many: string) => (count === 0 ? [] : [counted(count, one, many)]);
  const own = [
    ...pieces(installation.operators.length, 'operator', 'operators'),
    ...pieces(installation.policies.length, 'admission policy or binding', 'admission policies and bindings'),
    ...pieces(installation.definitions.length, 'kind (CRD)', 'kinds (CRDs)'),
    ...pieces(installation.roles.length, 'role or binding', 'roles and bindings'),
    ...pieces(installation.home.length, 'namespace', 'namespaces'),
  ];
  return [
    `${counted(rollouts.length, 'Rollout is', 'Rollouts are')} deleted, ${counted(marked.length, 'Deployment becomes', 'Deployments become')} native again, no pod restarts${listed(rollouts.map(({ metadata }) => keyOf(metadata)))}`,
    ...(own.length === 0 ? [] : [`then go: ${own.join(', ')}`]),
    ...(namespace === undefined
      ? [
          'With the kinds go all MetricSources, FlagSources, RolloutActions and ReleaseRecords. What Git does not have, save before: kubectl get metricsources,flagsources,rollouts.serin.dev,releaserecords -A -o yaml',
        ]
      : []),
  ];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** ": a, b, and 7 more"; nothing for none. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `: ${names.slice(0, 10).join(', ')}${names.length > 10 ? `, and ${names.length - 10} more` : ''}`;
}

/** By status, and by what serves: a status may be lost. */
export function runningReleases({ rollouts, replicaSets, splits }: Traces): readonly string[] {
  const byStatus = rollouts.filter(
    (rollout) => (rollout as unknown as RolloutObject).status?.journal?.attempt !== undefined,
  );
  const serving = replicaSets.filter(({ spec }) => (spec.replicas ?? 1) > 0);
  return [
    ...byStatus.map(({ metadata }) => `Rollout ${keyOf(metadata)}`),
    ...serving.map(({ metadata }) => `ReplicaSet ${keyOf(metadata)}`),
    ...splits.map(({ route }) => `HTTPRoute ${keyOf(route.metadata)}`),
  ];
}
