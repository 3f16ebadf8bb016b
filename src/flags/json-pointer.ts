/** Owns JSON pointers (RFC 6901): a name as it stands in one, and what one points at. */

export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Into own fields and elements alone, never into what an object inherits. Undefined when nothing is there. */
export function pointed(json: unknown, pointer: string): unknown {
  const names = pointer.split('/').slice(1);
  let here = json;
  for (const name of names) {
    if (typeof here !== 'object' || here === null) return undefined;
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(here, key) || (Array.isArray(here) && !/^(0|[1-9]\d*)$/.test(key))) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}
