/** Draws one simulated release as a picture file: the weight over time, and below it the evidence with its goals. */
import { logBrake, logFinalAccept, logRollback } from '../analysis/settings.ts';
import { judgeSettingsOf } from '../controller/judged-as.ts';
import type { Moment, Run } from '../simulation/release/run.ts';
import type { Scenario } from '../simulation/release/scenario.ts';
import { spanOf } from './table.ts';

const size = { width: 860, height: 400, left: 70, right: 120, top: 30, gap: 40, bottom: 30 };
const plotWidth = size.width - size.left - size.right;
const plotHeight = (size.height - size.top - size.gap - size.bottom) / 2;
const colours = { weight: '#2563eb', harm: '#dc2626', health: '#15803d', line: '#94a3b8', text: '#334155' };

/** A whole SVG document. */
export function releaseSvg({ moments, endMs }: Run, scenario: Scenario): string {
  const settings = judgeSettingsOf(scenario.spec);
  const goals = [
    { log: logRollback(settings), words: `rollback ${odds(logRollback(settings))}` },
    { log: logBrake(settings), words: `brake ${odds(logBrake(settings))}` },
    { log: logFinalAccept, words: `promotion ${odds(logFinalAccept)}` },
  ];
  const most = Math.max(...goals.map(({ log }) => log), 1) * 1.15;
  const x = (atMs: number): number => size.left + (atMs / endMs) * plotWidth;
  const upper = (weight: number): number => size.top + plotHeight * (1 - weight / 100);
  const below = size.top + plotHeight + size.gap;
  const lower = (log: number): number => below + plotHeight * (1 - Math.min(most, Math.max(0, log)) / most);
  const line = (colour: string, y: (moment: Moment) => number): string =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${moments.map((moment) => `${fixed(x(moment.atMs))},${fixed(y(moment))}`).join(' ')}"/>`;
  const end = size.left + plotWidth;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12" fill="${colours.text}">`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    label(size.left, 18, 'share of the requests that goes to the new version'),
    label(size.left, below - 10, 'evidence'),
    ...[0, 50, 100].map((weight) => rule(upper(weight), `${weight}%`)),
    ...[0, ...goals.map(({ log }) => log)].map((log) => rule(lower(log), odds(log))),
    ...goals.map(({ log, words }) => label(end + 8, lower(log) + 4, words)),
    line(colours.weight, ({ weightPercent }) => upper(weightPercent)),
    line(colours.harm, ({ logHarm }) => lower(logHarm)),
    line(colours.health, ({ logAccept }) => lower(logAccept)),
    label(size.left + 70, below - 10, 'of harm', colours.harm),
    label(size.left + 130, below - 10, 'of health', colours.health),
    ...[0, 0.5, 1].map((part) => label(x(part * endMs) - 10, size.height - 10, spanOf(part * endMs))),
    '</svg>',
    '',
  ].join('\n');
}

function rule(y: number, words: string): string {
  const end = size.left + plotWidth;
  return `<line x1="${size.left}" x2="${end}" y1="${fixed(y)}" y2="${fixed(y)}" stroke="${colours.line}" stroke-dasharray="3 3"/>${label(8, y + 4, words)}`;
}

function label(x: number, y: number, words: string, colour: string = colours.text): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${colour}">${words}</text>`;
}

function odds(log: number): string {
  return `${Math.round(Math.exp(log))} : 1`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
