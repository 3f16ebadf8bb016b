/** `serin init`: prints a Rollout for a Deployment, ready for "kubectl apply -f -"; it writes nothing to the cluster. */
import { stringify } from 'yaml';
import { API_GROUP, API_VERSION, rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { rolloutSpecSchema } from '../api/rollout.ts';
import { deployments } from '../kube/resources.ts';
import { deploymentNamed } from './deployment-name.ts';
import { CliError } from './failure.ts';
import { type Guess, guessFor } from './guess.ts';
import { type GlobalOptions, type Session, type Surroundings, withSession } from './session.ts';

export interface InitOptions extends GlobalOptions {
  readonly service?: string | undefined;
  readonly route?: readonly string[] | undefined;
}

/** A Rollout as it is applied. */
export interface DraftRollout {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: object;
}

/** With --service and --route it needs no cluster. */
export async function init(
  deployment: string | undefined,
  options: InitOptions,
  around: Surroundings,
): Promise<number> {
  const name = deployment === undefined ? undefined : deploymentNamed(deployment);
  const { service, route } = options;
  if (name !== undefined && service !== undefined && route !== undefined) {
    const { namespace } = options;
    around.terminal.print(written({ name, service, routes: route, namespace }, []));
    return EXIT.done;
  }
  return withSession(around, options, async (session) => {
    const guess = await guessFor(name ?? (await onlyDeployment(session)), { service, routes: route }, session);
    around.terminal.print(written({ ...guess, name: guess.deployment }, comments(guess, options, around.programName)));
    return EXIT.done;
  });
}

async function onlyDeployment({ client, namespace }: Session): Promise<string> {
  const { items } = await client.list(deployments, { namespace });
  const names = items.map(({ metadata }) => metadata.name);
  const [only, ...others] = names;
  if (only === undefined)
    throw new CliError(`no Deployments found in namespace ${namespace}`, EXIT.notFoundOrForbidden);
  if (others.length === 0) return only;
  const shown = names.slice(0, 8).join(', ');
  throw new CliError(
    `namespace ${namespace} has ${names.length} Deployments: name one of ${shown}${names.length > 8 ? ', …' : ''}`,
    EXIT.usage,
  );
}

export interface Wish {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly service: string | undefined;
  readonly routes: readonly string[];
}

/** Throws when what was given cannot be a Rollout, in the words of its schema. */
export function draftOf({ name, namespace, service, routes }: Wish): DraftRollout {
  const spec = {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    ...(service === undefined
      ? {}
      : {
          traffic: {
            service,
            ...(routes.length === 0 ? {} : { routes: routes.map((route) => ({ kind: 'HTTPRoute', name: route })) }),
          },
        }),
  };
  const parsed = rolloutSpecSchema.safeParse(spec);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(`this is no Rollout: spec.${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, EXIT.usage);
  }
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: `${API_GROUP}/${API_VERSION}`, kind: rolloutKind.kind, metadata, spec };
}

function written(wish: Wish, lines: readonly string[]): string {
  const { apiVersion, kind, metadata, spec } = draftOf(wish);
  const fields = Object.entries(spec).map(([field, value]) => `  ${field}: ${flow(value)}`);
  return [
    ...lines.map((line) => `# ${line}`),
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    `metadata: ${flow(metadata)}`,
    'spec:',
    ...fields,
  ].join('\n');
}

/** On one line, quoted where a name would be read as a number or a boolean. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

function comments(guess: Guess, options: InitOptions, programName: string): readonly string[] {
  const { deployment, namespace, existing, notes } = guess;
  return [
    `How Deployment ${namespace}/${deployment} is released; all else has defaults, and "${programName} plan -f FILE" shows them.`,
    ...serviceComment(guess, options),
    ...routeComment(guess, options),
    ...(existing === undefined
      ? []
      : [`Rollout ${existing} names this Deployment already, and only one of them can release it.`]),
    ...notes.map((note) => `Not seen: ${note}.`),
  ];
}

function serviceComment({ service, deployment, otherServices }: Guess, options: InitOptions): readonly string[] {
  const others =
    otherServices.length === 0
      ? []
      : [`Also on these pods, and kept on the old version during a release: Service ${otherServices.join(', ')}.`];
  if (options.service !== undefined) return others;
  if (service === undefined)
    return [
      `No Service selects the pods of ${deployment}: taken for workers, whose share of the work is their share of the pods.`,
    ];
  const why =
    otherServices.length === 0 ? 'the only one that selects these pods' : 'the likeliest of those on these pods';
  return [`Guessed: Service ${service}, ${why}.`, ...others];
}

function routeComment({ service, routes, otherRoutes }: Guess, options: InitOptions): readonly string[] {
  if (service === undefined || options.route !== undefined) return [];
  const others = otherRoutes.length === 0 ? [] : [`HTTPRoute ${otherRoutes.join(', ')} leads to another of them.`];
  if (routes.length === 0)
    return [
      `No HTTPRoute names Service ${service}: the share of the requests is the share of the pods, one pod at least and half of them at most.`,
      ...others,
    ];
  return [`Guessed: HTTPRoute ${routes.join(', ')}, because it names Service ${service}.`, ...others];
}
