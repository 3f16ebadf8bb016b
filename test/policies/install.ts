/**
 * Puts Serin's CRDs, identities and policies on a cluster as its users do, and returns when the API server obeys them. It
 * never removes anything: other suites on the same cluster rely on the same names.
 */
import { fileURLToPath } from 'node:url';
import type { ApiServer } from './api-server.ts';
import { PROBE, pathTo } from './api-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @throws Error when kubectl fails or the policies have no effect within 30 seconds.
 */
export async function installSerin(server: ApiServer, namespace: string): Promise<void> {
  const before = await generations(server);
  for (const folder of ['crds', 'deploy/rbac', 'deploy/policies']) await apply(server, folder);
  // An older version of a policy that was just replaced goes on answering for a moment, and would answer the questions below.
  if (before !== (await generations(server))) await new Promise((resolve) => setTimeout(resolve, 3000));
  await ready(server, namespace);
}

async function generations(server: ApiServer): Promise<string> {
  const kinds = ['mutatingadmissionpolicies', 'validatingadmissionpolicies', 'customresourcedefinitions'];
  const columns = 'NAME:.metadata.name,GENERATION:.metadata.generation';
  const answers = kinds.map((kind) => server.kubectl(['get', kind, '-o', `custom-columns=${columns}`]));
  return (await Promise.all(answers)).map(({ output }) => output).join();
}

async function apply(server: ApiServer, folder: string): Promise<void> {
  const { code, output } = await server.kubectl([
    'apply',
    '--server-side',
    '--force-conflicts',
    '-f',
    `${root}${folder}`,
  ]);
  if (code !== 0) throw new Error(`kubectl apply -f ${folder} failed: ${output}`);
}

/** Policies come into force one by one, within seconds of being stored; each is asked by a dry run. */
async function ready(server: ApiServer, namespace: string): Promise<void> {
  const deployments = pathTo('apps/v1', 'deployments', namespace);
  await server.ask('POST', deployments, witness);
  await eventually('the guard to hold a template', async () => {
    const path = `${deployments}/${witness.metadata.name}?dryRun=All`;
    const { body } = await server.ask(
      'PATCH',
      path,
      { spec: { template: { metadata: { labels: { at: 'x' } } } } },
      { as: PROBE },
    );
    return (body['spec'] as { paused?: boolean } | undefined)?.paused === true;
  });
  await eventually('actions to be refused where there is no Rollout', async () => {
    const action = { apiVersion: 'serin.dev/v1alpha1', kind: 'RolloutAction', metadata: { name: 'none' } };
    const spec = { rollout: 'none', action: 'pause', by: 'somebody' };
    const path = `${pathTo('serin.dev/v1alpha1', 'rolloutactions', namespace)}?dryRun=All`;
    return (await server.ask('POST', path, { ...action, spec })).status !== 201;
  });
}

const witness = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'policies-in-force', labels: { 'serin.dev/attached': 'true' } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'policies-in-force' } },
    template: {
      metadata: { labels: { app: 'policies-in-force' } },
      spec: { containers: [{ name: 'none', image: 'none' }] },
    },
  },
};

/** Asks again and again, for at most 30 seconds. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`waited 30 s for ${what}`);
}
