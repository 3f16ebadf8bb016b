/** What the double needs to know of the pods of the scenarios. */
import type { Pod } from '../../src/workload/objects.ts';

/** As the test workload on a real cluster: told by its environment never to be ready. */
export function isNeverReady({ spec }: Pod): boolean {
  const [container] = spec.containers as readonly { readonly env?: readonly { readonly name: string }[] }[];
  return container?.env?.some(({ name }) => name === 'NEVER_READY') ?? false;
}
