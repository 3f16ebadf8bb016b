/** Every scenario, by what it is about. */
import type { Scenario } from '../world.ts';
import { admissionScenarios } from './admission.ts';
import { deploymentScenarios } from './deployments.ts';
import { endpointScenarios } from './endpoints.ts';
import { garbageScenarios } from './garbage.ts';
import { objectScenarios } from './objects.ts';
import { owningScenarios } from './owning-fields.ts';
import { watchingScenarios } from './watching.ts';

export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  objects: objectScenarios,
  'lists and watches': watchingScenarios,
  'owners of fields': owningScenarios,
  garbage: garbageScenarios,
  Deployments: deploymentScenarios,
  endpoints: endpointScenarios,
  admission: admissionScenarios,
};
