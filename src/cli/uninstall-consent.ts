/** Decides whether uninstalling may begin: by the rights of whoever asks, and by their word. It changes nothing. */
import { createInterface } from 'node:readline/promises';
import { rolloutKind } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { deployments, selfSubjectAccessReviews } from '../kube/resources.ts';
import { CliError } from './failure.ts';
import type { Session } from './session.ts';
import type { UninstallOptions, UninstallSurroundings } from './uninstall.ts';

/** Asked before anything is written: half an uninstall is worse than none. */
export async function requireRights({ client }: Session, namespace: string | undefined): Promise<void> {
  const everywhere = [
    { verb: 'delete', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    { verb: 'delete', group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicies' },
    { verb: 'delete', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
    { verb: 'delete', group: '', resource: 'namespaces' },
  ];
  const within = [
    { verb: 'delete', group: rolloutKind.group, resource: rolloutKind.plural },
    { verb: 'patch', group: rolloutKind.group, resource: rolloutKind.plural },
    { verb: 'patch', group: deployments.group, resource: deployments.plural },
    { verb: 'patch', group: '', resource: 'services' },
  ];
  const asked = [...within, ...(namespace === undefined ? everywhere : [])];
  const lacking: string[] = [];
  for (const { verb, group, resource } of asked) {
    const spec = { resourceAttributes: { verb, group, resource, ...(namespace === undefined ? {} : { namespace }) } };
    const answer = await client.create<{ status?: { allowed?: boolean } }>(selfSubjectAccessReviews, {
      metadata: {},
      spec,
    });
    if (answer.status?.allowed !== true) lacking.push(`${verb} ${resource}${group === '' ? '' : `.${group}`}`);
  }
  if (lacking.length > 0)
    throw new CliError(
      `you may not ${lacking.join(', ')}${namespace === undefined ? '' : ` in namespace ${namespace}`}; nothing was changed. A cluster admin uninstalls Serin.`,
      EXIT.notFoundOrForbidden,
    );
}

/** Throws when a person does not say yes, and where none can be asked. */
export async function confirm(
  { yes, namespace }: UninstallOptions,
  { terminal, ask = askOnTerminal }: UninstallSurroundings,
): Promise<void> {
  if (yes) return;
  if (!terminal.isInteractive)
    throw new CliError('nobody can be asked here: add --yes to uninstall, or --dry-run to look', EXIT.usage);
  const what = namespace === undefined ? 'Serin from this cluster' : `Serin from namespace ${namespace}`;
  const said = await ask(`Remove ${what}? Type yes to go on: `);
  if (said.trim() !== 'yes') throw new CliError('nothing was changed');
}

async function askOnTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
