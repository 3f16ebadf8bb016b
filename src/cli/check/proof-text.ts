/** Words and the table of what the traffic of now can prove, alike in `serin plan` and `serin check`; it adds nothing to it. */
import { percentWords, spanWords } from '../../analysis/words.ts';
import { percent } from '../../release/weights.ts';
import { spanOf, tableOf } from '../table.ts';
import { type Proof, type SeenTraffic, type StepProof, type WorseProof, worseVersions } from './proof.ts';

type Unsure = Proof['whenUnsure'];

export function trafficWords({ requestsPerSecond, failedShare, requests, failed, seenMs }: SeenTraffic): string {
  const counts = `${Math.round(failed)} of ${Math.round(requests)}`;
  return `${rateWords(requestsPerSecond)} requests a second in the last ${lastWords(seenMs)}, ${percentWords(failedShare)} of them failed (${counts})`;
}

/** The first scrape of ten minutes is never quite ten minutes old. */
export function lastWords(seenMs: number): string {
  return spanOf(seenMs < 60_000 ? seenMs : Math.ceil(seenMs / 60_000) * 60_000);
}

/** A line for each step, and what the words of the table mean. */
export function proofTable(proof: Proof): string[] {
  const { steps, whenUnsure } = proof;
  const header = ['STEP', 'WEIGHT', 'CANARY/S', 'ACCEPTABLE', ...worseVersions.map((version) => version.toUpperCase())];
  const rows = steps.map((step) => [
    String(step.step),
    percent(step.weightPercent),
    rateWords(step.canaryRequestsPerSecond),
    inTime(cellOf(step.acceptSeconds), step.acceptSeconds, whenUnsure),
    ...worseVersions.map((version) => {
      const worse = step.worse.find((one) => one.version === version);
      return worse && worseCell(worse, whenUnsure);
    }),
  ]);
  return [...tableOf(header, rows), ...legend(proof)];
}

/** One sentence for each step that this traffic does not end within whenUnsure.after. */
export function futility({ steps, traffic, whenUnsure }: Proof): readonly string[] {
  return steps
    .filter(({ acceptSeconds }) => !isWithin(acceptSeconds, whenUnsure))
    .map((step) => {
      const found = harmWords(step, traffic);
      const rate = `${rateWords(step.canaryRequestsPerSecond)} canary requests a second (${percent(step.weightPercent)})`;
      return `Step ${step.step}: at ${rate} a healthy version needs ${aboutWords(step.acceptSeconds)} to be acceptable${found}; after ${spanOf(whenUnsure.afterMs)} whenUnsure decides (${whenUnsure.do}); consider ${adviceFor(step, whenUnsure)}.`;
    });
}

/** A doubling; where nothing fails, one point more. */
function harmWords({ worse }: StepProof, { failedShare }: SeenTraffic): string {
  const doubling = worse.find(({ version }) => version === '2x');
  if (doubling !== undefined)
    return `, a doubling from ${percentWords(failedShare)} ${aboutWords(doubling.brakeSeconds)} to prove`;
  const point = worse.find(({ version }) => version === '+1pp');
  return point === undefined ? '' : `, one that fails 1 % ${aboutWords(point.brakeSeconds)} to be braked`;
}

/** "12", "2.5", "0.03" */
function rateWords(perSecond: number): string {
  return perSecond >= 10 ? perSecond.toFixed(0) : String(Number(perSecond.toPrecision(2)));
}

export function isWithin(seconds: number | undefined, { afterMs }: Unsure): boolean {
  return seconds !== undefined && seconds * 1000 <= afterMs;
}

function adviceFor({ enoughPercent }: StepProof, whenUnsure: Unsure): string {
  const other = whenUnsure.do === 'proceed' ? 'whenUnsure: hold' : 'a longer whenUnsure.after';
  return enoughPercent === undefined ? other : `weight ${enoughPercent} or ${other}`;
}

function aboutWords(seconds: number | undefined): string {
  return seconds === undefined || seconds > 86_400 ? 'more than a day' : `about ${spanWords(seconds)}`;
}

function worseCell({ acceptSeconds, brakeSeconds, rollbackSeconds, passes }: WorseProof, whenUnsure: Unsure): string {
  if (passes) return inTime('passes', acceptSeconds, whenUnsure);
  if (brakeSeconds === undefined) return inTime(cellOf(brakeSeconds), brakeSeconds, whenUnsure);
  return inTime(`${cellOf(brakeSeconds)} / ${cellOf(rollbackSeconds)}`, brakeSeconds, whenUnsure);
}

function cellOf(seconds: number | undefined): string {
  return seconds === undefined || seconds > 86_400 ? 'over 1d' : spanWords(seconds);
}

function inTime(cell: string, seconds: number | undefined, whenUnsure: Unsure): string {
  return isWithin(seconds, whenUnsure) ? cell : `(${cell})`;
}

function legend({ steps, whenUnsure, notForetold }: Proof): readonly string[] {
  const worse = steps.flatMap((step) => step.worse);
  const times = [
    ...steps.map(({ acceptSeconds }) => acceptSeconds),
    ...worse.map(({ passes, acceptSeconds, brakeSeconds }) => (passes ? acceptSeconds : brakeSeconds)),
  ];
  return [
    'ACCEPTABLE: until a version that fails as often as the old one may go on; behind it versions that fail more: braked / rolled back',
    ...(worse.some(({ passes }) => passes)
      ? ['passes: ruleOut lets so little harm go on before it could be proven; the evidence stays for the next steps']
      : []),
    ...(times.every((seconds) => isWithin(seconds, whenUnsure))
      ? []
      : [`( ): not before whenUnsure decides, ${spanOf(whenUnsure.afterMs)} after the step began (${whenUnsure.do})`]),
    'expected times, for errors alone and each step by itself; by chance much less, or twice as long',
    ...(notForetold.length === 0 ? [] : [`judged too, and not foretold: ${notForetold.join(', ')}`]),
  ];
}
