/** Runs the lines of docs/uninstall.md one after the other, as somebody would who has nothing but kubectl. */
import { readFileSync, symlinkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/commands.ts';
import { repository } from '../e2e/harness/ground.ts';
import type { Site } from './site.ts';

const page = join(repository, 'docs', 'uninstall.md');

/** The blocks of the part that is for clusters without an operator. The first one says what things are called. */
export async function runbook(site: Site, namespace: string): Promise<void> {
  const text = readFileSync(page, 'utf8');
  const part = text.slice(text.indexOf('## Without Serin'));
  const [names = '', ...lines] = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((found) => found[1] ?? '');
  const mine = names
    .replace(/namespace=\S+/, `namespace=${namespace}`)
    .replaceAll(/(deployment|service|route)=\S+/g, '$1=shop');
  if (mine === names) throw new Error(`${page} does not say what things are called`);
  const bin = mkdtempSync(join(tmpdir(), 'serin-bin-'));
  symlinkSync(site.cluster.kubectl, join(bin, 'kubectl'));
  try {
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, KUBECONFIG: site.cluster.kubeconfig };
    const script = `set -eu\n${[mine, ...lines].join('\n')}`;
    console.log(await run('bash', ['-c', script], { cwd: repository, env }));
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
}
