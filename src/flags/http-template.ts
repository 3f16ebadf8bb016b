/**
 * Fills in what may differ between two changes: values of a Rollout go into texts of the platform team, each escaped for the
 * place that it stands in. Whatever could become more than one value there is refused.
 */
import { flagPlaceholders } from '../api/flag-http.ts';
import { escaped } from './json-pointer.ts';

export type Values = Readonly<Record<(typeof flagPlaceholders)[number], string>>;

/** What cannot be filled in, in words that go on after "flag … cannot be …: ". */
export class Unfillable extends Error {
  override readonly name = 'Unfillable';
}

const placeholder = new RegExp(String.raw`\$\((${flagPlaceholders.join('|')})\)`, 'g');

export function mentions(text: string, name: keyof Values): boolean {
  return text.includes(`$(${name})`);
}

/** The host and the scheme have none: the result leads to the same host, whatever the values. */
export function filledUrl(template: string, values: Values): string {
  return template.replaceAll(placeholder, (_, name: keyof Values) => {
    const value = values[name];
    // As a segment of a path they would lead elsewhere.
    if (/^\.*$/.test(value)) throw new Unfillable(`the ${name} "${value}" cannot stand in a URL`);
    return encodeURIComponent(value);
  });
}

/** A JSON pointer. */
export function filledPointer(template: string, values: Values): string {
  return template.replaceAll(placeholder, (_, name: keyof Values) => escaped(values[name]));
}

/** By the media type; one that is not known takes only what needs no escaping anywhere. */
export function filledBody(template: string, contentType: string, values: Values): string {
  if (/\bjson\b/i.test(contentType)) return filledJson(template, values);
  const escape = /x-www-form-urlencoded/i.test(contentType) ? encodeURIComponent : plain;
  return template.replaceAll(placeholder, (_, name: keyof Values) => escape(values[name]));
}

function plain(value: string): string {
  if (/^[-A-Za-z0-9._~ ]*$/.test(value)) return value;
  throw new Unfillable(`"${value}" cannot stand in a body that is not JSON: only letters, digits and -._~ can`);
}

/** Inside of quotes all but the quotes of a string; elsewhere a number, true, false or null. */
function filledJson(template: string, values: Values): string {
  return template.replaceAll(placeholder, (_, name: keyof Values, at: number) => {
    const value = values[name];
    if (isInString(template, at)) return JSON.stringify(value).slice(1, -1);
    if (/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?)$/.test(value)) return value;
    throw new Unfillable(
      `the ${name} "${value}" stands in the body without quotes, where only a number, true or false can`,
    );
  });
}

function isInString(json: string, at: number): boolean {
  const before = json.slice(0, at).replaceAll(/\\./g, '');
  return (before.split('"').length - 1) % 2 === 1;
}
