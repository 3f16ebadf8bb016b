// Reads the one number that an instant query gave. What is no single number is said in words, and never taken for one.
import { type Fetched, down } from './fetched.ts';

export type LookedAt =
  | { readonly kind: 'number'; readonly value: number }
  /** The source answered, and gave no number; `why` stands after the name of the query: "gives …". */
  | { readonly kind: 'none'; readonly why: string };

/** `who` begins the sentence where the answer is none of the Prometheus API. */
export function numberIn(answer: Readonly<Record<string, unknown>>, who: string): Fetched<LookedAt> {
  const { resultType, result } = (answer.data ?? {}) as { readonly resultType?: unknown; readonly result?: unknown };
  if (answer.status !== 'success' || !Array.isArray(result))
    return down(`${who} answered JSON that is not a Prometheus result: is the address right?`);
  if (resultType === 'scalar') return { kind: 'ok', value: valueOf(result) };
  if (resultType !== 'vector')
    return none('neither a number nor a series now, but another type: no range belongs into it');
  const [first] = result as readonly unknown[];
  if (first === undefined) return none('no series');
  if (result.length > 1) return none('several series where one number is needed: aggregate them, with max() or sum()');
  const { value } = Object(first) as { readonly value?: unknown };
  if (!Array.isArray(value)) return none('a histogram where a number is needed');
  return { kind: 'ok', value: valueOf(value) };
}

/** `[seconds, "12.5"]`. A quotient of nothing is no number, in whichever of the ways it is written. */
function valueOf([, text]: readonly unknown[]): LookedAt {
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return { kind: 'number', value };
  return { kind: 'none', why: typeof text === 'string' ? `${text.slice(0, 20)}, which is no number` : 'no number' };
}

function none(why: string): Fetched<LookedAt> {
  return { kind: 'ok', value: { kind: 'none', why } };
}
