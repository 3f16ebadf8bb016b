// Makes what a source said fit for a sentence that people read in a status: short, on one line, and without anything
// that looks like a credential, for an error may echo what it was asked with.

const mostCharacters = 200;
const secrets: readonly (readonly [RegExp, string])[] = [
  [
    /((?:token|passw(?:or)?d|secret|credential|api[-_]?key|authorization|cookie)["']?\s*[=:]\s*["']?)((bearer|basic|digest)\s+)?[^\s"'&,;]+/gi,
    '$1***',
  ],
  [/\b(bearer|basic|digest)\s+(?!\*)[^\s"',;]{8,}/gi, '$1 ***'],
  [/\/\/[^\s/@]+@/g, '//***@'],
];

/** At most 200 characters of it. */
export function shown(said: string): string {
  // More than is shown, because hiding makes it shorter; less than a body, because patterns cost time.
  const plain = said
    .slice(0, 4 * mostCharacters)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  const hidden = secrets.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), plain);
  return hidden.length > mostCharacters ? `${hidden.slice(0, mostCharacters)}…` : hidden;
}

/** Where a redirect leads, without query and user: login pages are given tokens there. */
export function shownPlace(location: string): string {
  const [place = ''] = location.split(/[?#]/);
  return shown(place);
}
