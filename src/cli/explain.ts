/** `serin explain`: tells one Rollout's story from its status and records, and goes through a verdict again; it only reads, and adds no judgement of its own. */
import { releaseRecordKind, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { bundleOf, replayOf } from './explain-bundle.ts';
import { explanationOf } from './explanation.ts';
import type { ReleaseRecordObject, RolloutObject } from './objects.ts';
import { type DataFormat, formatted } from './output.ts';
import { type GlobalOptions, type Surroundings, withSession } from './session.ts';

export interface ExplainOptions extends GlobalOptions {
  readonly output?: DataFormat | undefined;
  /** Print what the verdict was reached from, to keep it in a file. */
  readonly bundle?: boolean;
  /** Such a file; no cluster is asked. */
  readonly replay?: string;
}

/** `name` may only be missing with `replay`. */
export async function explain(
  name: string | undefined,
  options: ExplainOptions,
  around: Surroundings,
): Promise<number> {
  if (options.replay !== undefined) return replay(options.replay, around);
  if (name === undefined) {
    around.terminal.complain('Say which Rollout, or give a file with --replay.');
    return EXIT.usage;
  }
  return withSession(around, options, async ({ client, namespace }) => {
    const rollout = await client.get<RolloutObject>(rolloutKind, { namespace, name });
    if (options.bundle === true) return bundle(rollout, around);
    const listed = await client.list<ReleaseRecordObject>(releaseRecordKind, { namespace });
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

async function replay(path: string, around: Surroundings): Promise<number> {
  const { isSame, lines } = replayOf(await around.readText(path), path);
  around.terminal.print(lines.join('\n'));
  return isSame ? EXIT.done : EXIT.error;
}

function bundle(rollout: RolloutObject, { terminal }: Surroundings): number {
  const written = bundleOf(rollout);
  if (written === undefined) {
    terminal.complain(
      `Rollout ${rollout.metadata.namespace ?? ''}/${rollout.metadata.name} has no evidence in its status that this version of Serin can read: nothing was judged yet, or another version wrote it.`,
    );
    return EXIT.error;
  }
  terminal.print(formatted(written, 'json'));
  return EXIT.done;
}

/** Of this very Rollout, not of an older one of the same name; newest first. */
function recordsOf(rollout: RolloutObject, records: readonly ReleaseRecordObject[]): ReleaseRecordObject[] {
  return records
    .filter((record) => record.spec.rolloutUid === rollout.metadata.uid)
    .toSorted((one, other) => other.spec.attempt - one.spec.attempt);
}
