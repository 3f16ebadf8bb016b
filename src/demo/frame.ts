/** Draws one moment of the demo as lines for a terminal: who gets how much, what the judge says and why, what became of requests. Pure. */
import type { RolloutStatus } from '../api/rollout-status.ts';
import { readEvidence } from '../cli/evidence.ts';
import { wrapped } from '../cli/picture.ts';
import { type Colour, painted, type Terminal } from '../cli/terminal.ts';
import { percent } from '../release/weights.ts';
import type { VersionCounts } from './load.ts';
import { lostIn } from './report.ts';
import type { Sight } from './story.ts';

type Look = Pick<Terminal, 'hasColour' | 'columns'>;

/** What stands in the line of a bar besides the bar. */
const besideBar = 50;

/** No line is wider than the terminal, so that their number is known when they are drawn over. */
export function frameOf(sight: Sight, look: Look): readonly string[] {
  const status = sight.rollout?.status ?? {};
  return [
    '',
    ...arms(status, sight, look),
    '',
    ...judged(status, look),
    ...wrapped(status.message ?? 'New versions of the Deployment would roll out by themselves.', look.columns - 4).map(
      (line) => `  ${line}`,
    ),
    '',
    ...requests(sight, look),
  ];
}

function arms({ stable, canary, phase }: RolloutStatus, sight: Sight, look: Look): readonly string[] {
  const { counts } = sight;
  // During the handover the routes go back to a Service that has only the new pods by then.
  const canaryPercent = phase === 'Promoting' && canary !== undefined ? 100 : sight.canaryPercent;
  const answersOf = (version: string) => counts?.versions.get(version);
  const versionOf = (hash = ''): string => sight.versions.get(hash) ?? '';
  const share = 100 - canaryPercent;
  return [
    arm({ name: 'stable', version: versionOf(stable?.hash), share, colour: 'green' }, answersOf, look),
    canary === undefined
      ? ''
      : arm(
          { name: 'canary', version: versionOf(canary.hash), share: canaryPercent, colour: colourOf(phase) },
          answersOf,
          look,
        ),
  ];
}

interface Arm {
  readonly name: string;
  readonly version: string;
  readonly share: number;
  readonly colour: Colour;
}

function arm(
  { name, version, share, colour }: Arm,
  answersOf: (version: string) => VersionCounts | undefined,
  look: Look,
): string {
  const { good, bad } = answersOf(version) ?? { good: 0, bad: 0 };
  const barWidth = Math.max(10, Math.min(40, look.columns - besideBar));
  const filled = Math.min(barWidth, Math.ceil((share * barWidth) / 100));
  const bar = `${painted(look, colour, '#'.repeat(filled))}${painted(look, 'dim', '.'.repeat(barWidth - filled))}`;
  const answers = `${whole(good + bad).padStart(7)} answers`;
  const failed = painted(look, bad === 0 ? 'dim' : 'red', `${whole(bad).padStart(5)} failed`);
  return `  ${name}  ${version.padEnd(4)} ${bar} ${percent(share).padStart(5)}${answers}${failed}`;
}

function judged(status: RolloutStatus, look: Look): readonly string[] {
  const { phase, reason = '', verdict } = status;
  const said = verdict === undefined ? '' : `   verdict ${verdict}`;
  const evidence = status.canary === undefined ? undefined : readEvidence(status.evidence);
  const odds = evidence === undefined ? '' : `   evidence of harm ${evidence.evidence}, of health ${evidence.accepted}`;
  const state = phase === undefined ? 'No Rollout' : `${phase}, ${reason}`;
  return [
    `  ${painted(look, colourOf(phase), state)}${`${said}${odds}`.slice(0, Math.max(0, look.columns - 4 - state.length))}`,
  ];
}

function colourOf(phase: string | undefined): Colour {
  if (phase === 'RollingBack' || phase === 'RolledBack') return 'red';
  return phase === 'Braked' ? 'yellow' : 'cyan';
}

function requests({ counts }: Sight, look: Look): readonly string[] {
  if (counts === undefined) return [];
  // What is under way is not lost yet, and looks the same until it is answered.
  const lost = lostIn({ ...counts, sent: counts.answered });
  const heldBack = counts.heldBack === 0 ? '' : `   never sent, no time ${whole(counts.heldBack)}`;
  return [`  requests ${whole(counts.sent)}   lost ${whole(lost)}${heldBack}`.slice(0, look.columns - 1)];
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}
