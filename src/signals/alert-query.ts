// Decides how one kind of alert is asked for: only what fires, and for a tenant only what is the tenant's own. What it cannot be
// sure about is refused, and never asked as it was written.
import { type Confinement, confinedQuery } from './confine.ts';
import { parsePlain, readQuery, selectorText } from './promql.ts';

export type AlertQuery =
  | { readonly kind: 'query'; readonly query: string }
  /** What to change, without its full stop; whose matchers they are stands before it. */
  | { readonly kind: 'refused'; readonly why: string };

/** The series that Prometheus keeps of its alerts, and the label that says how far they have come. */
const series = 'ALERTS';
const stateLabel = 'alertstate';

/** `matching`: matchers in braces, or a whole selector of ALERTS. */
export function alertQuery(matching: string, confinement: Confinement | undefined): AlertQuery {
  const read = readQuery(matching);
  if (read.kind === 'unreadable') return refused(read.why);
  const selector = parsePlain(matching);
  if (selector === undefined) return refused('it is more than one selector: write {severity="page"} and the like');
  const { name = series, matchers } = selector;
  if (name !== series || matchers.some(({ label }) => label === '__name__'))
    return refused('it names a series, and alerts are the series ALERTS: write the matchers alone');
  const states = matchers.filter(({ label }) => label === stateLabel);
  if (states.some(({ operator, value }) => operator !== '=' || value !== 'firing'))
    return refused(`only what fires is looked at: leave ${stateLabel} out`);
  const own = matchers.filter(({ label }) => label !== stateLabel);
  if (own.length === 0)
    return refused('it matches every alert there is: write which are meant, as in {severity="page"}');
  const firing = { label: stateLabel, operator: '=', value: 'firing' } as const;
  const query = selectorText({ name: series, matchers: [firing, ...own] });
  return confinement === undefined ? { kind: 'query', query } : confinedQuery(query, confinement);
}

function refused(why: string): AlertQuery {
  return { kind: 'refused', why };
}
