/** Carries out the effects on Services and routes, each on the object as it was seen. */
import type { KubeClient } from '../kube/client.ts';
import { canaryServiceName, createCanaryService, deleteCanaryService } from '../traffic/canary-service.ts';
import { splitRoute } from '../traffic/gateway-api.ts';
import { pin, unpin } from '../traffic/pin.ts';
import { type Hand, made, type Of, present } from './hand.ts';

export async function moveTraffic(
  hand: Hand,
  client: KubeClient,
  effect: Of<'pin' | 'unpin' | 'createCanaryService' | 'deleteCanaryService' | 'split'>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, uid: rolloutUid } = hand.rollout.metadata;
  const service = (): string => present(hand.seen.spec.traffic.service, 'traffic.service');
  switch (effect.kind) {
    case 'pin':
      await pin(client, hand.service(effect.service), { hash: effect.hash, rolloutUid }, signal);
      return;
    case 'unpin':
      return unpin(client, hand.service(effect.service), signal);
    case 'createCanaryService':
      return makeCanaryService(hand, client, signal);
    case 'deleteCanaryService':
      return deleteCanaryService(client, { namespace, name: canaryServiceName(service()), uid: effect.uid }, signal);
    case 'split': {
      const found = hand.seen.routes.find(({ metadata }) => metadata.name === effect.route);
      const route = present(found, `HTTPRoute ${effect.route}`);
      await splitRoute(client, route, service(), effect.weightPercent, signal);
      return;
    }
    default:
      return effect satisfies never;
  }
}

async function makeCanaryService(hand: Hand, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { hash, record, number } = hand.attempt;
  const order = {
    service: hand.service(present(hand.seen.spec.traffic.service, 'traffic.service')),
    hash,
    record: hand.record(record),
    rolloutUid: hand.rollout.metadata.uid,
    attempt: number,
  };
  made(await createCanaryService(client, order, signal));
}
