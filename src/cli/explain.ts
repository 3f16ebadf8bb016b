/** `serin explain`: tells one Rollout's story from its status and records; it only reads, and adds no judgement of its own. */
import { releaseRecordKind, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { explanationOf } from './explanation.ts';
import type { ReleaseRecordObject, RolloutObject } from './objects.ts';
import { type DataFormat, formatted } from './output.ts';
import { type GlobalOptions, type Surroundings, withSession } from './session.ts';

export interface ExplainOptions extends GlobalOptions {
  readonly output?: DataFormat | undefined;
}

export async function explain(name: string, options: ExplainOptions, around: Surroundings): Promise<number> {
  return withSession(around, options, async ({ client, namespace }) => {
    const [rollout, listed] = await Promise.all([
      client.get<RolloutObject>(rolloutKind, { namespace, name }),
      client.list<ReleaseRecordObject>(releaseRecordKind, { namespace }),
    ]);
    const records = recordsOf(rollout, listed.items);
    const { terminal, clock, programName } = around;
    terminal.print(
      options.output === undefined
        ? explanationOf(rollout, records, { nowMs: clock.nowMs(), programName, terminal }).join('\n')
        : formatted({ rollout, records }, options.output),
    );
    return EXIT.done;
  });
}

/** Of this very Rollout, not of an older one of the same name; newest first. */
function recordsOf(rollout: RolloutObject, records: readonly ReleaseRecordObject[]): ReleaseRecordObject[] {
  return records
    .filter((record) => record.spec.rolloutUid === rollout.metadata.uid)
    .toSorted((one, other) => other.spec.attempt - one.spec.attempt);
}
