/**
 * Owns how the shell lines of a page fall into simple commands. It knows what pages use: quotes, continued lines, comments,
 * lists, pipes, redirections, substitutions, `for` and `if`; it never runs anything.
 */

const pieces =
  /(?<joint>\\\n)|(?<single>'[^']*')|(?<double>"(?:\\.|[^"\\])*")|(?<inner>\$\((?:[^()]|\([^()]*\))*\))|(?<redirection>\d?(?:>>|[<>])&?)|(?<end>&&|\|\||[|;&\n])|(?<blank>[ \t]+)|(?<plain>\\.|.)/gs;

/** The words of each simple command, quotes taken off. A substitution `$(…)` is a command of its own, and `$()` in its place. */
export function simpleCommands(script: string): string[][] {
  const commands: string[][] = [[]];
  const inside: string[] = [];
  let word: string | undefined;
  let isFile = false;
  const add = (text: string): void => void (word = (word ?? '') + text);
  const endWord = (): void => {
    if (word === undefined) return;
    if (!isFile) commands.at(-1)?.push(word);
    [word, isFile] = [undefined, false];
  };
  const withoutSubstitutions = (text: string): string => {
    inside.push(...[...text.matchAll(substitution)].map((found) => found[1] ?? ''));
    return text.replaceAll(substitution, '$$()');
  };
  for (const { groups = {} } of withoutComments(script).matchAll(pieces)) {
    const { single, double, inner, redirection, end, blank, plain } = groups;
    if (single !== undefined) add(single.slice(1, -1));
    if (double !== undefined) add(withoutSubstitutions(double.slice(1, -1)));
    if (inner !== undefined) add(withoutSubstitutions(inner));
    if (plain !== undefined) add(plain.at(-1) ?? '');
    if (blank ?? end ?? redirection) endWord();
    if (redirection !== undefined) isFile = true;
    if (end !== undefined) commands.push([]);
  }
  endWord();
  return [...commands.map(bare).filter((words) => words.length > 0), ...inside.flatMap(simpleCommands)];
}

const substitution = /\$\(((?:[^()]|\([^()]*\))*)\)/g;

function withoutComments(script: string): string {
  return script.replaceAll(/(^|\s)#.*/g, '$1');
}

const opening = new Set(['if', 'then', 'else', 'elif', 'do', 'while', 'until', '!']);

/** Without words of the language and without settings before the command. `for x in …` and plain settings are no commands. */
function bare(words: readonly string[]): string[] {
  const start = words.findIndex((word) => !opening.has(word) && !/^\w+=/.test(word));
  const first = words[start] ?? 'done';
  return ['for', 'fi', 'done'].includes(first) ? [] : words.slice(start);
}
