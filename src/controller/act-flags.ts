/** Turns the effects on feature flags into orders for those who carry them out; it waits for nobody. */
import { type Hand, type Of } from './hand.ts';

export function changeFlag({ parts, key, seen }: Hand, effect: Of<'flag' | 'dropFlag'>): void {
  if (effect.kind === 'dropFlag') return parts.flags.drop(key, effect.id);
  const { namespace = '' } = seen.rollout.metadata;
  parts.flags.ask(key, { task: effect.task, entry: effect.entry, namespace });
}
