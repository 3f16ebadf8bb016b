/** Turns the effect of a check into an order: which requests, to pods of which ReplicaSet, on which port. It calls nobody. */
import { presentCheck } from '../release/views.ts';
import { targetPortOf } from './check-pods.ts';
import { checkIdOf, type CheckOrder } from './checks.ts';
import { type Hand, type Of, present } from './hand.ts';
import { gatewayBackendsOf } from './judged-as.ts';

export function orderOf({ attempt, decision, seen }: Hand, effect: Of<'check'>): CheckOrder {
  const check = present(presentCheck(attempt), `the check of step ${effect.step + 1}`);
  const { service } = attempt.spec.traffic;
  const named = seen.services.find(({ metadata }) => metadata.name === service);
  return {
    id: checkIdOf(decision.memory) ?? '',
    namespace: seen.rollout.metadata.namespace ?? '',
    replicaSetUid: effect.uid,
    port: check.port ?? targetPortOf(named, gatewayBackendsOf(seen.routes, service)?.port),
    requests: check.requests,
  };
}
