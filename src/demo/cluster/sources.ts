/** Chooses the MetricSource that the demo's Rollout names. It only reads. */
import { parseDurationMs } from '../../api/duration.ts';
import { metricSourceKind } from '../../api/kinds.ts';
import { metricSourceDefaults, type MetricSourceSpec } from '../../api/metric-source.ts';
import { readSource } from '../../cli/check/source-reading.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/resources.ts';
import { Missing } from './missing.ts';

interface MetricSource extends KubeObject {
  readonly spec: MetricSourceSpec;
}

/**
 * The one that was wished for, else the default one, else the only one that reads what pods count themselves, as those of
 * the demo do.
 *
 * @throws Missing when there is none, or when it answers as no Prometheus does.
 */
export async function findSource(client: KubeClient, clock: Clock, wished: string | undefined): Promise<string> {
  const source = chosen(await sourcesIn(client), wished);
  const { name } = source.metadata;
  const { prometheus, dataPlane } = source.spec;
  const timeoutMs = parseDurationMs(prometheus.timeout ?? metricSourceDefaults.timeout);
  const asked = { name, address: prometheus.address, timeoutMs, ...(dataPlane === undefined ? {} : { dataPlane }) };
  const reading = await readSource({ source: asked, selector: '{__name__="up"}', rangeMs: 60_000 }, { client, clock });
  // That there is no way from here says nothing about the operator's.
  if (reading.kind === 'wrong') throw new Missing(reading.sentence);
  return name;
}

async function sourcesIn(client: KubeClient): Promise<readonly MetricSource[]> {
  try {
    return (await client.list<MetricSource>(metricSourceKind)).items;
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    throw new Missing(
      'Serin is not installed on this cluster: kubectl apply --server-side -f deploy/install.yaml, then play it again',
      { cause: error },
    );
  }
}

function chosen(all: readonly MetricSource[], wished: string | undefined): MetricSource {
  const names = all.map(({ metadata }) => metadata.name).join(', ');
  if (all.length === 0)
    throw new Missing(
      'without metrics there is no verdict: write the address of your Prometheus into examples/metric-source.yaml and apply it',
    );
  if (wished !== undefined) {
    const named = all.find(({ metadata }) => metadata.name === wished);
    if (named !== undefined) return named;
    throw new Missing(`there is no MetricSource ${wished}; there are: ${names}`);
  }
  const ofPods = all.filter(({ spec }) => (spec.dataPlane ?? metricSourceDefaults.dataPlane) === 'app');
  const found = all.find(({ spec }) => spec.default === true) ?? onlyOf(all) ?? onlyOf(ofPods);
  if (found === undefined)
    throw new Missing(`name a MetricSource with --metric-source: none of ${names} is the default`);
  return found;
}

function onlyOf(some: readonly MetricSource[]): MetricSource | undefined {
  return some.length === 1 ? some[0] : undefined;
}
