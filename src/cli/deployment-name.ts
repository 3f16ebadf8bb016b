/** Reads how people name a Deployment on a command line: "checkout", "deployment/checkout", "deploy/checkout". */
import { EXIT } from '../api/reasons.ts';
import { CliError } from './failure.ts';

const kinds = new Set(['deployment', 'deployments', 'deploy', 'deployment.apps', 'deployments.apps']);

/** Throws for another kind of workload, which cannot be released yet. */
export function deploymentNamed(text: string): string {
  const [kind, name, ...rest] = text.includes('/') ? text.split('/') : ['deployment', text];
  if (kind === undefined || name === undefined || name === '' || rest.length > 0)
    throw new CliError(`"${text}" names no Deployment: write deployment/NAME or NAME`, EXIT.usage);
  if (!kinds.has(kind.toLowerCase()))
    throw new CliError(`"${text}" is not a Deployment, and Serin releases only Deployments`, EXIT.usage);
  return name;
}
