/** Owns the way from `serin demo --cluster` to the stage on a real cluster: which one it is, what it has, and what is said about it. */
import { clusterMeant } from '../demo/cluster/meant.ts';
import { type Ground, lookAround } from '../demo/cluster/ground.ts';
import { openOnCluster } from '../demo/cluster/stage.ts';
import type { Stage } from '../demo/stage.ts';
import { loadConnection } from '../kube/config.ts';
import type { DemoOptions, DemoSurroundings } from './demo.ts';

/** @throws Missing, with one sentence, when the cluster has not all that it takes; nothing was made then. */
export async function openClusterStage(
  options: DemoOptions,
  { open, terminal, clock }: DemoSurroundings,
  program: readonly string[],
): Promise<Stage> {
  const meant = clusterMeant(options, process.env);
  const connection = loadConnection(meant);
  const session = await open(meant);
  const { client } = session;
  try {
    const ground = await lookAround(client, clock, options);
    terminal.print(wordsOn(ground, connection.server));
    const say = (line: string): void => terminal.print(line);
    const stage = await openOnCluster({
      client,
      connection,
      ground,
      clock,
      random: Math.random,
      program,
      options: optionsOf(meant),
      say,
    });
    return {
      ...stage,
      async close() {
        try {
          await stage.close();
        } finally {
          await session.close();
        }
      },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

function wordsOn({ gateway, address, source, image, operatorToken }: Ground, server: string): string {
  const operator = operatorToken === undefined ? 'the operator there' : 'an operator that runs here for it';
  return [
    `On ${server}: Gateway ${gateway.namespace}/${gateway.name} at ${address}, MetricSource ${source},`,
    `pods of ${image.image}, ${operator}.`,
  ].join('\n');
}

function optionsOf({ kubeconfig, context }: { kubeconfig?: string | undefined; context?: string | undefined }): string {
  return [
    ...(kubeconfig === undefined ? [] : [` --kubeconfig ${kubeconfig}`]),
    ...(context === undefined ? [] : [` --context ${context}`]),
  ].join('');
}
