// Reads PromQL that people wrote, with the grammar that Prometheus itself ships for editors. It decides what a text selects, and
// writes strings, comments and white space anew, so that no server can read another query out of them; what it cannot read
// without doubt it refuses.
import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNodeRef } from '@lezer/common';
import { shown } from './said.ts';

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** A selector of instant vectors by itself: no range, offset, function or operator. */
export interface PlainSelector {
  /** Undefined where only matchers say which metric. */
  readonly name: string | undefined;
  readonly matchers: readonly Matcher[];
}

export interface FoundSelector extends PlainSelector {
  /** Where another matcher goes: the place in the text, and what stands around it there. */
  readonly room: { readonly at: number; readonly before: string; readonly after: string };
}

export interface ReadQuery {
  readonly kind: 'query';
  readonly selectors: readonly FoundSelector[];
  /** Functions and keywords in it that are called like functions. */
  readonly functions: readonly string[];
  /** The query alone selects, and does nothing else. */
  readonly isPlain: boolean;
  /** The text with these pieces put in, and everything else written anew. */
  withInserted(pieces: readonly { readonly at: number; readonly text: string }[]): string;
}

/** Why it is not a query, to be put after "…: ". */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly why: string;
}

const mostCharacters = 4096;
const labelName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const metricName = /^[A-Za-z_:][A-Za-z0-9_:]*$/;

export function readQuery(text: string): ReadQuery | Unreadable {
  if (text.length > mostCharacters) return unreadable(`it is longer than ${mostCharacters} characters`);
  const notes: Notes = { selectors: [], functions: [], pieces: [], doubt: undefined, shape: [] };
  parser.parse(text).iterate({ enter: (node) => note(text, node, notes) });
  if (notes.doubt !== undefined) return unreadable(notes.doubt);
  const stray = strayIn(text, notes.pieces);
  if (stray !== undefined) return unreadable(`it holds ${stray} outside of strings`);
  const [, outermost] = notes.shape;
  return {
    kind: 'query',
    selectors: notes.selectors,
    functions: notes.functions,
    isPlain: outermost === 'VectorSelector',
    withInserted: (inserted) => rewritten(text, [...notes.pieces, ...inserted.map(inPlace)]),
  };
}

/** Undefined when the text is anything but one plain selector. */
export function parsePlain(text: string): PlainSelector | undefined {
  const read = readQuery(text);
  const [selector] = read.kind === 'query' && read.isPlain ? read.selectors : [];
  return selector && { name: selector.name, matchers: selector.matchers };
}

export function selectorText({ name, matchers }: PlainSelector): string {
  const isSimple = name !== undefined && metricName.test(name);
  const inner = [...(name === undefined || isSimple ? [] : [quotedString(name)]), ...matchers.map(matcherText)];
  return `${isSimple ? name : ''}${inner.length > 0 ? `{${inner.join(',')}}` : ''}`;
}

export function matcherText({ label, operator, value }: Matcher): string {
  return `${labelName.test(label) ? label : quotedString(label)}${operator}${quotedString(value)}`;
}

/** Only escapes that PromQL and every dialect of it read alike. */
export function quotedString(value: string): string {
  const escaped = value.replaceAll(/[\\"\n\r\t]/g, (character) => escapes.get(character) ?? '');
  return `"${escaped}"`;
}

const escapes = new Map([
  ['\\', String.raw`\\`],
  ['"', String.raw`\"`],
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface Notes {
  readonly selectors: FoundSelector[];
  readonly functions: string[];
  /** What is written instead of what stands there. */
  readonly pieces: Piece[];
  doubt: string | undefined;
  /** Names of the outermost nodes, comments left out. */
  readonly shape: string[];
}

function note(text: string, node: SyntaxNodeRef, notes: Notes): boolean | void {
  const said = text.slice(node.from, node.to);
  if (node.type.isError) notes.doubt ??= `it is no PromQL at ${placeOf(text, node.from)}`;
  switch (node.name) {
    case 'LineComment':
      // Prometheus ends a comment there, and the grammar of editors does not.
      if (said.replace(/\r$/, '').includes('\r'))
        notes.doubt ??= `the comment at ${placeOf(text, node.from)} holds a carriage return`;
      notes.pieces.push({ from: node.from, to: node.to, text: ' ' });
      return;
    case 'StringLiteral': {
      const value = stringValue(said);
      if (value === undefined)
        notes.doubt ??= `the string at ${placeOf(text, node.from)} is not closed or has an escape that is not read (\\\\ \\" \\' \\n \\r \\t \\u are)`;
      notes.pieces.push({ from: node.from, to: node.to, text: quotedString(value ?? '') });
      break;
    }
    case 'FunctionIdentifier':
      notes.functions.push(said);
      break;
    case 'VectorSelector':
      notes.selectors.push(selectorAt(text, node));
      break;
  }
  if (notes.shape.length < 2) notes.shape.push(node.name);
}

function selectorAt(text: string, node: SyntaxNodeRef): FoundSelector {
  const { node: selector } = node;
  const identifier = selector.getChild('Identifier');
  const braces = selector.getChild('LabelMatchers');
  const matchers: Matcher[] = [];
  let quotedName: string | undefined;
  for (let part = braces?.firstChild ?? null; part !== null; part = part.nextSibling) {
    if (part.name === 'QuotedLabelName') quotedName = stringValue(text.slice(part.from, part.to));
    const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) => part?.getChild(name));
    const quoted = part.getChild('QuotedLabelName');
    const named = label ?? quoted;
    if (!named || !operator || !value) continue;
    const written = text.slice(named.from, named.to);
    matchers.push({
      label: (label ? written : stringValue(written)) ?? '',
      operator: text.slice(operator.from, operator.to) as Matcher['operator'],
      value: stringValue(text.slice(value.from, value.to)) ?? '',
    });
  }
  const isEmpty = matchers.length === 0 && quotedName === undefined;
  return {
    name: identifier ? text.slice(identifier.from, identifier.to) : quotedName,
    matchers,
    room: braces
      ? { at: braces.from + 1, before: '', after: isEmpty ? '' : ',' }
      : { at: selector.to, before: '{', after: '}' },
  };
}

/** Undefined when it is not closed, or says a character in a way that not every server reads alike. */
function stringValue(literal: string): string | undefined {
  const quote = literal[0] ?? '';
  if (literal.length < 2 || !literal.endsWith(quote)) return undefined;
  const inner = literal.slice(1, -1);
  if (quote === '`') return inner;
  if (!/^(?:[^\\\n]|\\[\\"'nrt]|\\u(?!d[89a-f])[0-9a-f]{4})*$/i.test(inner)) return undefined;
  return inner.replaceAll(/\\(u([0-9a-f]{4})|.)/gi, (_, escaped: string, unit: string | undefined) =>
    unit === undefined ? (unescaped.get(escaped) ?? escaped) : String.fromCharCode(Number.parseInt(unit, 16)),
  );
}

const unescaped = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** What no reader of PromQL agrees about with another: characters that are neither white space nor plain ASCII. */
function strayIn(text: string, pieces: readonly Piece[]): string | undefined {
  const [found] =
    /[^\x20-\x7e\t\n\r]/.exec(
      rewritten(
        text,
        pieces.map((piece) => ({ ...piece, text: ' ' })),
      ),
    ) ?? [];
  return found === undefined ? undefined : `the character U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase()}`;
}

function rewritten(text: string, pieces: readonly Piece[]): string {
  let written = '';
  let at = 0;
  for (const { from, to, text: instead } of pieces.toSorted(
    (one, other) => one.from - other.from || one.to - other.to,
  )) {
    written += spaced(text.slice(at, from)) + instead;
    at = Math.max(at, to);
  }
  return written + spaced(text.slice(at));
}

function spaced(text: string): string {
  return text.replaceAll(/[\t\n\r]/g, ' ');
}

function inPlace({ at, text }: { readonly at: number; readonly text: string }): Piece {
  return { from: at, to: at, text };
}

function placeOf(text: string, at: number): string {
  const rest = shown(text.slice(at, at + 24));
  return rest === '' ? 'its end' : `"${rest}"`;
}

function unreadable(why: string): Unreadable {
  return { kind: 'unreadable', why };
}
