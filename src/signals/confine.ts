// Keeps a tenant's query to the tenant's own series: every selector in it gets the matcher that the platform team asks for. A
// query that it cannot be sure about is refused, and never sent as it was.
import { type FoundSelector, type Matcher, matcherText, readQuery } from './promql.ts';

/** Only series whose `label` has this `value`. */
export interface Confinement {
  readonly label: string;
  readonly value: string;
}

export type Confined =
  | { readonly kind: 'query'; readonly query: string }
  /** What to change, without its full stop; whose query it is stands before it. */
  | { readonly kind: 'refused'; readonly why: string };

/** These read series that no selector in the query names. */
const unconfinable: ReadonlySet<string> = new Set(['info']);

export function confinedQuery(query: string, confinement: Confinement): Confined {
  const read = readQuery(query);
  if (read.kind === 'unreadable') return refused(read.why);
  const reaching = read.functions.find((name) => unconfinable.has(name));
  if (reaching !== undefined)
    return refused(`${reaching}() reads series of others, so it cannot be confined to ${wordsOf(confinement)}`);
  const foreign = read.selectors.flatMap(({ matchers }) => matchers).find((one) => isForeign(one, confinement));
  if (foreign !== undefined)
    return refused(
      `it asks for ${matcherText(foreign)}, but only series with ${wordsOf(confinement)} may be read: leave this label out`,
    );
  const own = matcherText(ownMatcher(confinement));
  return { kind: 'query', query: read.withInserted(read.selectors.map((selector) => insertion(selector, own))) };
}

/** The same label with anything but the one value would be silently empty, or look as if it were obeyed. */
function isForeign({ label, operator, value }: Matcher, confinement: Confinement): boolean {
  return label === confinement.label && (operator !== '=' || value !== confinement.value);
}

function ownMatcher({ label, value }: Confinement): Matcher {
  return { label, operator: '=', value };
}

function insertion({ room }: FoundSelector, own: string): { readonly at: number; readonly text: string } {
  return { at: room.at, text: `${room.before}${own}${room.after}` };
}

function wordsOf(confinement: Confinement): string {
  return matcherText(ownMatcher(confinement));
}

function refused(why: string): Confined {
  return { kind: 'refused', why };
}
