/** The Deployment that the policy tests write, and how they read it back. It never gets pods: nothing here needs them. */
import { type ApiServer, SERIN, pathTo } from './api-server.ts';

export interface Held {
  readonly paused: boolean;
  /** The mark serin.dev/held. */
  readonly mark: string | undefined;
  /** The label serin.dev/attached. */
  readonly attached: string | undefined;
  readonly image: string | undefined;
}

/** As a user has it in Git: knows nothing of Serin. */
export function manifest(name: string, image: string, spec: object = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image }] } },
      ...spec,
    },
  };
}

export function deploymentPath(namespace: string, name?: string): string {
  return pathTo('apps/v1', 'deployments', namespace, name);
}

/** Creates the Deployment as its user and attaches it as Serin does: the label alone. */
export async function attach(server: ApiServer, namespace: string, name: string, image = 'app:1'): Promise<void> {
  const { code, output } = await server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest(name, image));
  if (code !== 0) throw new Error(output);
  await server.ask('PATCH', deploymentPath(namespace, name), attachment, { as: SERIN });
}

const attachment = { metadata: { labels: { 'serin.dev/attached': 'true' } } };

export async function held(server: ApiServer, namespace: string, name: string): Promise<Held> {
  const { body } = await server.ask('GET', deploymentPath(namespace, name));
  const spec = Object(body['spec']);
  return {
    paused: spec.paused === true,
    mark: body.metadata?.annotations?.['serin.dev/held'],
    attached: body.metadata?.labels?.['serin.dev/attached'],
    image: spec.template?.spec?.containers?.[0]?.image,
  };
}
