/** Owns what a page is and where its blocks are: every Markdown file that readers of the project are sent to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simpleCommands } from './shell.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** Every file below `folder` whose name ends so, folders of dependencies left out. */
export function pagesIn(folder: string, ends: string): Page[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ends) && !name.includes('node_modules'))
    .toSorted()
    .map((name) => page(join(folder, name)));
}

export function page(path: string): Page {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

export const pages: readonly Page[] = [page('README.md'), ...pagesIn('docs', '.md')];

export interface Block extends Page {
  readonly language: string;
  /** The command whose answer the block shows, where a comment above it names one: `<!-- output of: serin get -A -->`. */
  readonly outputOf: string | undefined;
}

/** The fenced blocks of a page. A fence without a language is one with the language ''. */
export function blocksOf({ path, text }: Page): Block[] {
  const fences = /(?:^<!-- output of: (.+?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fences)].map(([, outputOf, language = '', inside = '']) => ({
    path,
    language,
    text: inside,
    outputOf,
  }));
}

export const blocks: readonly Block[] = pages.flatMap(blocksOf);

export interface Typed {
  readonly path: string;
  readonly line: string;
  readonly words: readonly string[];
}

/** Every simple command of every `sh` block. */
export const typed: readonly Typed[] = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ path, text }) => simpleCommands(text).map((words) => ({ path, line: words.join(' '), words })));
