/** Owns the page of words: phases, verdicts, reasons, Events and exit codes, from the closed lists in src/api. */
import { ADVICE } from '../src/api/advice.ts';
import {
  CONDITION_REASONS,
  EVENT_REASONS,
  EXIT,
  EXIT_WORDS,
  type Move,
  PHASES,
  REASON_GROUPS,
  type Reason,
  REASONS,
  VERDICTS,
} from '../src/api/reasons.ts';
import { anchorOf, table } from './markdown.ts';

const moves: Readonly<Record<Move, string>> = {
  serin: "Serin's move.",
  user: 'Your move.',
  none: 'News.',
};

/** The blocks of the page, in order. */
export function wordsPage(): string[] {
  return [
    '# Words: phases, reasons, Events, exit codes',
    `These lists are closed: there is no phase, verdict, reason or exit code that is not here. *Your move* means that nothing changes until somebody acts or the world is right again; Serin notices the latter by itself. By symptom, the same is told in [troubleshooting](../troubleshooting.md). \`NAME\` is the name of your Rollout.`,
    '## Phases',
    '`status.phase`, one at a time:',
    pairs('phase', PHASES),
    '## Verdicts',
    '`status.verdict`, the column VERDICT. While a release goes back, it is the reason why.',
    pairs('verdict', VERDICTS),
    '## Reasons',
    '`status.reason`, the reason of the conditions Ready, Reconciling and Stalled, and of Events.',
    ...Object.entries(REASON_GROUPS).flatMap(([title, reasons]) => [
      `### ${title}`,
      ...(Object.keys(reasons) as Reason[]).map(reasonEntry),
    ]),
    '## Reasons of the conditions Guarded and Judged',
    table(
      ['condition', 'reason', 'meaning'],
      Object.entries(CONDITION_REASONS).flatMap(([condition, reasons]) =>
        Object.entries(reasons).map(([reason, meaning]) => [condition, `\`${reason}\``, meaning]),
      ),
    ),
    '## Events',
    'Serin writes Events about the Rollout, with these reasons. A release that goes well has one when it begins, one for each step, and one each for the bake, the beginning of the promotion and its end: seven with the default steps.',
    'One more kind tells of trouble: "Serin could not go on and keeps trying", a warning with the reason `Hindered`, once for each time that something fails again and again.',
    EVENT_REASONS.map((reason) => `[${reason}](#${anchorOf(reason)})`).join(' · '),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => [String(EXIT[name]), EXIT_WORDS[name]]),
    ),
  ];
}

function pairs(title: string, words: Readonly<Record<string, string>>): string {
  return table(
    [title, 'meaning'],
    Object.entries(words).map(([word, meaning]) => [`\`${word}\``, meaning]),
  );
}

function reasonEntry(reason: Reason): string {
  const [move, sentence] = REASONS[reason];
  return `#### ${reason}\n\n${sentence} *${moves[move]}* ${ADVICE[reason]}`;
}
