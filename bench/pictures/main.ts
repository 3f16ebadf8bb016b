/** Writes the figures and the picture of docs/simulate.md anew: `npm run bench:pictures`. The page says which command each is of. */
import { readFile, writeFile } from 'node:fs/promises';
import { run } from '../../src/cli/program.ts';
import { systemClock } from '../../src/kube/clock.ts';

const root = new URL('../../', import.meta.url);
const page = new URL('docs/simulate.md', root);
const line = 'simulate examples/simulate/five-percent.yaml';

/** What the program answers in a terminal of 100 columns. */
async function answerTo(args: readonly string[]): Promise<string> {
  let out = '';
  const exitCode = await run(args, {
    terminal: {
      isInteractive: false,
      columns: 100,
      hasColour: false,
      print: (text) => void (out += `${text}\n`),
      complain: (text) => void process.stderr.write(`${text}\n`),
      draw: (text) => void (out += text),
    },
    clock: systemClock,
    random: Math.random,
    programName: 'serin',
    open: () => Promise.reject(new Error('a simulation needs no cluster')),
    readText: (path) => readFile(new URL(path, root), 'utf8'),
  });
  if (exitCode !== 0) throw new Error(`serin ${args.join(' ')} ended with ${exitCode}`);
  return out.replaceAll(/ +$/gm, '');
}

const answer = await answerTo([...line.split(' '), '--svg', new URL('docs/simulate.svg', root).pathname]);
const before = await readFile(page, 'utf8');
const block = new RegExp(`(<!-- output of: serin ${line} -->\\n+\`\`\`text\\n)[\\s\\S]*?(^\`\`\`$)`, 'm');
if (!block.test(before)) throw new Error(`docs/simulate.md has no block for "serin ${line}"`);
await writeFile(
  page,
  before.replace(block, (_, head: string, tail: string) => `${head}${answer}${tail}`),
);
