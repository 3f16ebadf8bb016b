/** `serin get`: lists Rollouts as kubectl would; it never waits and never writes. */
import { rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { percent } from '../release/weights.ts';
import { failureOf } from './failure.ts';
import { flagLines } from './flag-words.ts';
import type { RolloutObject } from './objects.ts';
import { type DataFormat, formatted, oneOrList } from './output.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from './session.ts';
import { ageOf, tableOf } from './table.ts';

export interface GetOptions extends GlobalOptions {
  readonly allNamespaces?: boolean | undefined;
  readonly output?: DataFormat | 'wide' | 'name' | undefined;
}

/** Exit code 6 when a name is missing; what was found is printed all the same. */
export async function get(names: readonly string[], options: GetOptions, around: Surroundings): Promise<number> {
  return withSession(around, options, async (session) => {
    const { rollouts, exitCode } = await fetched(names, options, session, around);
    if (rollouts.length > 0 || names.length === 0) show(rollouts, names, options, session, around);
    return exitCode;
  });
}

interface Fetched {
  readonly rollouts: readonly RolloutObject[];
  readonly exitCode: number;
}

async function fetched(
  names: readonly string[],
  options: GetOptions,
  session: Session,
  around: Surroundings,
): Promise<Fetched> {
  const { client, namespace } = session;
  if (names.length === 0) {
    const where = options.allNamespaces === true ? {} : { namespace };
    const { items } = await client.list<RolloutObject>(rolloutKind, where);
    return { rollouts: items, exitCode: EXIT.done };
  }
  const rollouts: RolloutObject[] = [];
  let exitCode: number = EXIT.done;
  const asked = await Promise.allSettled(
    names.map((name) => client.get<RolloutObject>(rolloutKind, { namespace, name })),
  );
  for (const answer of asked) {
    if (answer.status === 'fulfilled') {
      rollouts.push(answer.value);
      continue;
    }
    const failure = failureOf(answer.reason, around.programName);
    around.terminal.complain(failure.line);
    exitCode = failure.exitCode;
  }
  return { rollouts, exitCode };
}

function show(
  rollouts: readonly RolloutObject[],
  names: readonly string[],
  options: GetOptions,
  session: Session,
  around: Surroundings,
): void {
  const { terminal, clock, programName } = around;
  const { output } = options;
  if (output === 'json' || output === 'yaml')
    return terminal.print(formatted(oneOrList(rollouts, names.length === 1), output));
  if (rollouts.length === 0)
    return terminal.complain(
      `No rollouts found${options.allNamespaces === true ? '' : ` in ${session.namespace} namespace`}.`,
    );
  if (output === 'name')
    return terminal.print(rollouts.map((one) => `rollout.serin.dev/${one.metadata.name}`).join('\n'));
  const nowMs = clock.nowMs();
  const style = { isWide: output === 'wide', withNamespace: options.allNamespaces === true, nowMs };
  const named = names.length === 0 ? [] : rollouts.flatMap((one) => flagLines(one, { nowMs, programName }));
  terminal.print([...listed(rollouts, style), ...named].join('\n'));
}

interface ListStyle {
  readonly isWide: boolean;
  readonly withNamespace: boolean;
  readonly nowMs: number;
}

/** The lines of the table, header first. */
function listed(rollouts: readonly RolloutObject[], { isWide, withNamespace, nowMs }: ListStyle): string[] {
  const header = ['NAME', 'PHASE', 'STEP', 'WEIGHT', 'STABLE', 'CANARY', 'VERDICT', 'AGE'];
  const rows = rollouts.map((rollout) => {
    const cells = cellsOf(rollout, nowMs);
    const wide = isWide ? [...cells, rollout.status?.message] : cells;
    return withNamespace ? [rollout.metadata.namespace, ...wide] : wide;
  });
  return tableOf([...(withNamespace ? ['NAMESPACE'] : []), ...header, ...(isWide ? ['MESSAGE'] : [])], rows);
}

function cellsOf({ metadata, status }: RolloutObject, nowMs: number): (string | undefined)[] {
  const { canary } = status ?? {};
  return [
    metadata.name,
    status?.phase,
    status?.step,
    canary === undefined ? undefined : percent(canary.weight),
    status?.stable?.hash,
    canary?.hash,
    status?.verdict,
    ageOf(metadata.creationTimestamp, nowMs),
  ];
}
