/**
 * Answers a shell that asks how a line could go on: commands, options, values, and names from the cluster. It never
 * complains: without a cluster, or with a slow one, there is simply nothing to offer.
 */
import type { Command, Option } from 'commander';
import { rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { deployments, httpRoutes, namespaces, type ResourceKind, services } from '../kube/resources.ts';
import type { GlobalOptions, Surroundings } from './session.ts';
import { readTypedLine, type TypedLine } from './typed-line.ts';

/** People who wait longer for a TAB press it again. */
const PATIENCE_MS = 1_500;

interface Candidate {
  readonly value: string;
  readonly meaning?: string;
}

type Offer = readonly Candidate[] | 'files';

/** Prints one candidate a line with its meaning after a TAB, then `:4`, or `:0` where file names are wanted. */
export async function complete(words: readonly string[], program: Command, around: Surroundings): Promise<number> {
  const line = readTypedLine(program, words.length === 0 ? [''] : words);
  const offer = await offered(line, program, around);
  const { typing } = line;
  const prefix = typing.kind === 'nothing' ? '' : typing.prefix;
  const fitting = offer === 'files' ? [] : offer.filter(({ value }) => value.startsWith(prefix));
  const lines = fitting.map(({ value, meaning }) => (meaning === undefined ? value : `${value}\t${meaning}`));
  around.terminal.draw([...lines, offer === 'files' ? ':0' : ':4', ''].join('\n'));
  return EXIT.done;
}

async function offered(line: TypedLine, program: Command, around: Surroundings): Promise<Offer> {
  const { typing } = line;
  switch (typing.kind) {
    case 'command':
      return commandsOf(program);
    case 'option':
      return typing.options.map((option) => ({ value: option.long ?? option.flags, meaning: option.description }));
    case 'value':
      return valuesOf(typing.option, line, around);
    case 'argument': {
      const { argument, given } = typing;
      if (argument.argChoices !== undefined) return argument.argChoices.map((value) => ({ value }));
      if (argument.name() === 'command') return commandsOf(program);
      const kind = argument.name() === 'deployment' ? deployments : rolloutKind;
      return (await namesOf(kind, line, around)).filter(({ value }) => !given.includes(value));
    }
    case 'nothing':
      return [];
    default:
      return typing satisfies never;
  }
}

function commandsOf(program: Command): readonly Candidate[] {
  const visible = program.createHelp().visibleCommands(program);
  return visible.map((command) => ({ value: command.name(), meaning: command.description() }));
}

async function valuesOf(option: Option, line: TypedLine, around: Surroundings): Promise<Offer> {
  if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value }));
  switch (option.attributeName()) {
    case 'filename':
    case 'kubeconfig':
      return 'files';
    case 'namespace':
    case 'leaseNamespace':
      return namesOf(namespaces, line, around);
    case 'service':
      return namesOf(services, line, around);
    case 'route':
      return namesOf(httpRoutes, line, around);
    case 'target':
      return (await namesOf(deployments, line, around)).map(({ value }) => ({ value: `deployment/${value}` }));
    default:
      return [];
  }
}

/** Of the namespace and cluster that the line itself names. */
async function namesOf(kind: ResourceKind, { values }: TypedLine, around: Surroundings): Promise<readonly Candidate[]> {
  const { namespace, context, kubeconfig } = values;
  const options: GlobalOptions = { namespace, context, kubeconfig };
  const limit = new AbortController();
  const timer = around.clock.after(PATIENCE_MS, () => limit.abort());
  try {
    const session = await around.open(options);
    try {
      const where = kind.namespaced ? { namespace: session.namespace } : {};
      const { items } = await session.client.list(kind, { ...where, timeoutMs: PATIENCE_MS }, limit.signal);
      return items.map(({ metadata }) => ({ value: metadata.name }));
    } finally {
      await session.close();
    }
  } catch {
    return [];
  } finally {
    timer.cancel();
  }
}
