/** Every link of the documentation leads to a file that exists, and to a heading that stands in it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { anchorOf } from '../../build/markdown.ts';
import { pages, root } from './pages.ts';

/** Where a link of this page leads: a path from the root, and perhaps a heading. Links to other sites are not followed. */
function targetsOf(path: string, text: string): { file: string; anchor: string | undefined }[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$|`[^`\n]+`/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((found) => found[1] ?? '')
    .filter((target) => !/^(https?|mailto):/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      return { file: file === '' ? path : normalize(join(dirname(path), file)), anchor };
    });
}

function anchorsIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map((found) => anchorOf(found[1] ?? ''));
}

test.each(pages.map(({ path, text }) => [path, text]))('%s: links lead somewhere', (path, text) => {
  const broken = targetsOf(path, text).filter(({ file, anchor }) => {
    if (!existsSync(join(root, file))) return true;
    if (anchor === undefined) return false;
    return statSync(join(root, file)).isDirectory() || !anchorsIn(file).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page of the documentation is linked from another one', () => {
  const linked = new Set(
    pages.flatMap(({ path, text }) =>
      targetsOf(path, text)
        .map(({ file }) => file)
        .filter((file) => file !== path),
    ),
  );
  expect(pages.map(({ path }) => path).filter((path) => path !== 'README.md' && !linked.has(path))).toEqual([]);
});
