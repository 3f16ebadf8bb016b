/** Owns the files that hold every figure of a run, for whoever wants to reckon with them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { upperBound } from './proportion.ts';
import { limitOf } from './limit.ts';
import type { Result } from './results.ts';
import { allowanceOf } from './rulebook.ts';
import { faultWords } from './scenario.ts';

const columns =
  'kind,world,requests_per_second,weight,stable_rate,fault,onset_minutes,canary_pods,pods,window_seconds,rule,replicates,called_back,upper_95,before_onset,braked,median_seconds,p95_seconds,median_brake_seconds,median_bad_requests,mean_bad_requests,limit_seconds';

/** Writes `judge.csv` into the directory and gives its path. */
export async function writeCsv(directory: string, results: readonly Result[]): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'judge.csv');
  await writeFile(path, `${[columns, ...results.flatMap(linesOf)].join('\n')}\n`);
  return path;
}

function linesOf({ job: { kind, scenario }, byRule }: Result): readonly string[] {
  const { world, perSecond, weight, stableRate, onsetMinutes, pods, windowMs } = scenario;
  return byRule.map((one) =>
    [
      kind,
      world,
      perSecond,
      weight,
      stableRate,
      faultWords(scenario),
      onsetMinutes,
      pods.canary,
      pods.all,
      windowMs / 1000,
      one.rule,
      one.replicates,
      one.found,
      rounded(upperBound(one.found, one.replicates)),
      one.early,
      one.braked,
      one.medianSeconds,
      one.latestSeconds,
      one.medianBrakeSeconds,
      rounded(one.medianBad),
      rounded(one.meanBad),
      kind === 'healthy' ? '' : rounded(limitOf(scenario, allowanceOf(one.rule))),
    ].join(','),
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
