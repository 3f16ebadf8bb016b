/** The tables of `docs/faults.md`, made of the rows that the suites of this folder try out. */
import { metricFaults, metricOddities, unreachable } from './metric-faults.ts';
import { objectFaults } from './object-faults.ts';
import { podFaults } from './pod-faults.ts';
import { tableOf } from './table.ts';
import { writtenFaults } from './written-faults.ts';

/** By heading, in the order of the page. */
export function faultTables(): ReadonlyMap<string, string> {
  return new Map([
    [
      'Objects that the API server does not take',
      tableOf(
        ['what is written', 'what kubectl says'],
        writtenFaults.map(({ input, words }) => [input, words]),
      ),
    ],
    [
      'Objects that cannot work together',
      tableOf(
        ['what is there', 'reason', 'what the status says', 'what makes it attach by itself'],
        objectFaults.map(({ input, reason, sentence, cure }) => [input, `\`${reason}\``, sentence, cure]),
      ),
    ],
    [
      'Versions whose pods never become ready',
      tableOf(
        ['the new template has', 'reason', 'what the status says'],
        podFaults.map(({ input, reason, sentence }) => [input, `\`${reason}\``, sentence]),
      ),
    ],
    [
      'Metric sources that do not answer',
      tableOf(
        ['what the source does', 'what the status says'],
        [...metricFaults, ...unreachable].map(({ input, sentence }) => [input, sentence]),
      ),
    ],
    [
      'Metric sources that answered well before',
      tableOf(
        ['what the source does', 'what the status says then'],
        metricFaults.flatMap(({ input, later }) => (later === undefined ? [] : [[input, later]])),
      ),
    ],
    [
      'Answers with odd parts',
      tableOf(
        ['what the source answers', 'what is counted'],
        metricOddities.map(({ input, answer }) => [input, answer]),
      ),
    ],
  ]);
}
