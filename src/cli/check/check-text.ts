/** Writes the findings of `serin check` for people: what is wrong stands out, what could not be seen is said at the end. */
import type { Colour, Terminal } from '../terminal.ts';
import { painted } from '../terminal.ts';
import { type Area, areas, type Finding, type Mark } from './finding.ts';
import type { Proof } from './proof.ts';
import { proofTable } from './proof-text.ts';

export interface CheckReport {
  /** "Rollout shop/checkout", or undefined when only the cluster was looked at. */
  readonly subject: string | undefined;
  readonly findings: readonly Finding[];
  /** What nobody could see, or nobody looked at. */
  readonly notSeen: readonly string[];
  /** What the traffic of now can prove, where there is some. */
  readonly proof?: Proof | undefined;
}

const colours: Readonly<Record<Mark, Colour>> = { ok: 'green', warn: 'yellow', fail: 'red', unknown: 'cyan' };
const signs: Readonly<Record<Mark, string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL', unknown: '?   ' };
const titles: Readonly<Record<Area, string>> = {
  cluster: 'Cluster',
  operator: 'Operator',
  workload: 'Workload',
  traffic: 'Traffic',
  metrics: 'Metrics',
  flags: 'Flags',
  rights: 'Rights',
};

export function checkLines(
  { subject, findings, notSeen, proof }: CheckReport,
  terminal: Pick<Terminal, 'hasColour'>,
): string[] {
  return [
    ...(subject === undefined ? [] : [subject, '']),
    ...areas.flatMap((area) => areaLines(area, findings, area === 'metrics' ? proof : undefined, terminal)),
    painted(terminal, 'bold', 'Not seen from here'),
    ...notSeen.map((sentence) => `  ${sentence}`),
    '',
    summary(findings, terminal),
  ];
}

function areaLines(
  area: Area,
  findings: readonly Finding[],
  proof: Proof | undefined,
  terminal: Pick<Terminal, 'hasColour'>,
): string[] {
  const own = findings.filter((finding) => finding.area === area);
  if (own.length === 0) return [];
  const lines = own.map(({ mark, message, reason }) => {
    const named = reason === undefined || mark === 'ok' ? '' : `${reason}: `;
    return `  ${painted(terminal, colours[mark], signs[mark])}  ${named}${message}`;
  });
  const shown = proof === undefined ? [] : proofTable(proof).map((line) => `        ${line}`);
  return [painted(terminal, 'bold', titles[area]), ...lines, ...shown, ''];
}

function summary(findings: readonly Finding[], terminal: Pick<Terminal, 'hasColour'>): string {
  const failed = findings.filter(({ mark }) => mark === 'fail').length;
  if (failed === 0) return 'Nothing that can be seen from here stands in the way.';
  return painted(terminal, 'red', failed === 1 ? 'One thing stands in the way.' : `${failed} things stand in the way.`);
}
