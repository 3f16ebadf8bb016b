/** Puts figures into the page between its markers, and touches nothing else of it. */
import { readFile, writeFile } from 'node:fs/promises';

/** Replaces what is between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. */
export async function writeInto(page: URL, name: string, markdown: string): Promise<void> {
  const before = await readFile(page, 'utf8');
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`${page.pathname} has no place for "${name}": write ${begin} and ${end} into it`);
  await writeFile(page, `${before.slice(0, from + begin.length)}\n\n${markdown}\n\n${before.slice(to)}`);
}
