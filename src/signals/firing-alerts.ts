// Reads which alerts a source says fire, and how one of them is called. An alert is its set of labels: another set is another alert.
import { createHash } from 'node:crypto';
import { type Fetched, down } from './fetched.ts';
import { shown } from './said.ts';

export interface NamedAlert {
  /** Short, and the same for the same labels. */
  readonly id: string;
  /** "HighErrorRate (severity=page, service=checkout)". */
  readonly name: string;
}

/** More at once are a matcher that is too wide; all that fired before have to be remembered. */
export const mostAlerts = 50;

const mostLabels = 4;
const mostCharacters = 60;
/** Part of every alert, and no help in telling one from another. */
const unsaid: ReadonlySet<string> = new Set(['__name__', 'alertname', 'alertstate']);
/** Said first, because people look for them. */
const first = ['severity', 'namespace', 'service'];

/** `who` begins the sentence where the answer is none of the Prometheus API. */
export function alertsIn(answer: Readonly<Record<string, unknown>>, who: string): Fetched<readonly NamedAlert[]> {
  const { resultType, result } = (answer.data ?? {}) as { readonly resultType?: unknown; readonly result?: unknown };
  if (answer.status !== 'success' || resultType !== 'vector' || !Array.isArray(result))
    return down(`${who} answered JSON that is not a Prometheus result: is the address right?`);
  if (result.length > mostAlerts)
    return down(`more than ${mostAlerts} alerts fire that match, too many to tell old ones from new ones: match fewer`);
  const named = result.map((one: unknown) => namedAlert(Object(Object(one).metric) as Record<string, unknown>));
  return { kind: 'ok', value: [...new Map(named.map((alert) => [alert.id, alert])).values()] };
}

function namedAlert(metric: Readonly<Record<string, unknown>>): NamedAlert {
  const labels = Object.entries(metric)
    .map(([label, value]): readonly [string, string] => [label, String(value)])
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  const identity = JSON.stringify(labels.filter(([label]) => label !== '__name__' && label !== 'alertstate'));
  const id = createHash('sha256').update(identity).digest('base64url').slice(0, 12);
  const said = labels.filter(([label]) => !unsaid.has(label)).toSorted(([one], [other]) => rank(one) - rank(other));
  const words = said.slice(0, mostLabels).map(([label, value]) => `${inShort(label)}=${inShort(value)}`);
  const called = inShort(labels.find(([label]) => label === 'alertname')?.[1] ?? 'without a name');
  const rest = said.length > mostLabels ? ', …' : '';
  return { id, name: words.length === 0 ? called : `${called} (${words.join(', ')}${rest})` };
}

function rank(label: string): number {
  const index = first.indexOf(label);
  return index === -1 ? first.length : index;
}

function inShort(text: string): string {
  const fit = shown(text);
  return fit.length > mostCharacters ? `${fit.slice(0, mostCharacters)}…` : fit;
}
