/** Looks whether a cluster has what a demo needs, before anything is made. It only reads. */
import { Agent } from 'undici';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { codeOf } from '../proxy.ts';
import { findGateway, type Way } from './gateways.ts';
import { findImage, type PodImage } from './images.ts';
import { Missing } from './missing.ts';
import { hasOperator, operatorToken } from './operators.ts';
import { findSource } from './sources.ts';

/** What the user said instead of letting it be found. */
export interface Wishes {
  readonly gateway?: string | undefined;
  readonly address?: string | undefined;
  readonly image?: string | undefined;
  readonly metricSource?: string | undefined;
}

export interface Ground extends Way {
  /** Name of the MetricSource. */
  readonly source: string;
  readonly image: PodImage;
  /** With which an operator of the demo's own works; undefined: one runs on the cluster. */
  readonly operatorToken: string | undefined;
}

/** @throws Missing with the first thing that is not there. */
export async function lookAround(client: KubeClient, clock: Clock, wishes: Wishes): Promise<Ground> {
  const source = await findSource(client, clock, wishes.metricSource);
  const way = await findGateway(client, { wished: wishes.gateway, address: wishes.address });
  await requireAnswer(way);
  const image = await findImage(client, wishes.image);
  const isOperated = await hasOperator(client, clock);
  return { ...way, source, image, operatorToken: isOperated ? undefined : await operatorToken(client) };
}

/** Any answer will do: there is no route yet. */
async function requireAnswer({ gateway, address }: Way): Promise<void> {
  const agent = new Agent({ headersTimeout: 5_000, connectTimeout: 5_000 });
  try {
    const { body } = await agent.request({ origin: address, path: '/', method: 'GET' });
    await body.dump();
  } catch (error) {
    throw new Missing(
      `Gateway ${gateway.namespace}/${gateway.name} does not answer at ${address} (${codeOf(error)}): say where it can be reached from here with --address http://…`,
      { cause: error },
    );
  } finally {
    await agent.destroy();
  }
}
