import { type Asking, PROBE, SERIN, pathTo } from './api-server.ts';
import { deploymentPath, manifest } from './deployments.ts';
import { eventually } from './install.ts';
import { openStage } from './stage.ts';

const stage = openStage('rights');
const { server, namespace } = stage;

const groupsOf = 'system:serviceaccounts';
const asSerin: Asking = { as: SERIN, groups: [groupsOf, 'system:authenticated'] };

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/** "verb resource.group/subresource name", in one namespace or, as Serin works, in all. */
async function can(user: string, question: string, inNamespace?: string): Promise<boolean> {
  const [verb, what = '', name] = question.split(' ');
  const [qualified = '', subresource] = what.split('/');
  const [resource, ...group] = qualified.split('.');
  const asked = { verb, resource, group: group.join('.'), subresource, name, namespace: inNamespace };
  const { body } = await server.ask('POST', path, { spec: { user, groups: [groupsOf], resourceAttributes: asked } });
  return Object(body['status']).allowed;
}

stage.describe("Serin's own rights", () => {
  test.each([
    'patch rollouts.serin.dev',
    'patch rollouts.serin.dev/status',
    'patch rolloutactions.serin.dev/status',
    'delete rolloutactions.serin.dev',
    'create releaserecords.serin.dev',
    'patch releaserecords.serin.dev/status',
    'watch metricsources.serin.dev',
    'watch flagsources.serin.dev',
    'get namespaces',
    'patch deployments.apps',
    'create replicasets.apps',
    'delete replicasets.apps',
    'create services',
    'patch httproutes.gateway.networking.k8s.io',
    'watch endpointslices.discovery.k8s.io',
    'watch pods',
    'create events',
    'list events',
  ])('include: %s', async (question) => {
    expect(await can(SERIN, question)).toBe(true);
  });

  test.each([
    'get secrets',
    'get configmaps',
    'patch configmaps',
    'list featureflags.core.openfeature.dev',
    'patch featureflags.core.openfeature.dev',
    'patch flagsources.serin.dev',
    'watch events',
    'delete events',
    'list namespaces',
    'watch namespaces',
    'update rollouts.serin.dev',
    'delete deployments.apps',
    'create deployments.apps',
    'update deployments.apps/scale',
    'delete pods',
    'create pods/exec',
    'delete httproutes.gateway.networking.k8s.io',
    'create rollouts.serin.dev',
    'delete rollouts.serin.dev',
    'create rolloutactions.serin.dev',
    'update leases.coordination.k8s.io',
    'impersonate users',
    'impersonate serviceaccounts',
    'impersonate serviceaccounts serin-probe',
    'create clusterrolebindings.rbac.authorization.k8s.io',
    'patch mutatingadmissionpolicies.admissionregistration.k8s.io',
  ])('do not include: %s', async (question) => {
    expect(await can(SERIN, question)).toBe(false);
  });

  test.each([
    ['patch leases.coordination.k8s.io', true],
    ['update leases.coordination.k8s.io', false],
    ['impersonate serviceaccounts serin-probe', true],
    ['impersonate serviceaccounts serin', false],
    ['impersonate serviceaccounts default', false],
    ['create serviceaccounts/token serin', false],
    ['get secrets', true],
    ['list secrets', false],
    ['watch secrets', false],
    ['patch secrets', false],
  ])('in its own namespace, %s: %s', async (question, expected) => {
    expect(await can(SERIN, question, 'serin-system')).toBe(expected);
  });

  test('make pods a question and never an act', async () => {
    const pod = { metadata: { name: 'asked' }, spec: { containers: [{ name: 'app', image: 'app:1' }] } };
    const pods = pathTo('v1', 'pods', namespace);
    await eventually('the default ServiceAccount', async () => {
      return (await server.ask('POST', `${pods}?dryRun=All`, pod, asSerin)).status === 201;
    });
    const { status, body } = await server.ask('POST', pods, pod, asSerin);
    expect(status).toBe(403);
    expect(body.message).toContain('may do this as a dry run only');
  });
});

stage.describe("the probe's rights", () => {
  test.each(['patch deployments.apps'])('include: %s', async (question) => {
    expect(await can(PROBE, question)).toBe(true);
  });

  test.each([
    'get deployments.apps',
    'create deployments.apps',
    'get secrets',
    'patch services',
    'patch rollouts.serin.dev',
  ])('do not include: %s', async (question) => {
    expect(await can(PROBE, question)).toBe(false);
  });

  test('store nothing, on a Deployment of anybody', async () => {
    await server.ask('POST', deploymentPath(namespace), manifest('anybody', 'app:1'));
    const deployment = deploymentPath(namespace, 'anybody');
    const label = { metadata: { labels: { a: 'b' } } };
    expect((await server.ask('PATCH', deployment, label, { as: PROBE })).status).toBe(403);
    expect((await server.ask('PATCH', `${deployment}?dryRun=All`, label, { as: PROBE })).status).toBe(200);
  });
});

stage.describe('the rights that a namespace already gives', () => {
  test.each([
    ['admin', 'create rollouts.serin.dev', true],
    ['edit', 'create rollouts.serin.dev', true],
    ['edit', 'create rolloutactions.serin.dev', true],
    ['edit', 'update rolloutactions.serin.dev', false],
    ['edit', 'delete releaserecords.serin.dev', false],
    ['edit', 'create metricsources.serin.dev', false],
    ['admin', 'create flagsources.serin.dev', false],
    ['edit', 'patch rollouts.serin.dev/status', false],
    ['edit', 'create rollouts.serin.dev/actions', false],
    ['admin', 'create rollouts.serin.dev/actions', false],
    ['view', 'watch rollouts.serin.dev', true],
    ['view', 'get releaserecords.serin.dev', true],
    ['view', 'create rolloutactions.serin.dev', false],
  ])('role %s, %s: %s', async (role, question, expected) => {
    const user = `has-${role}`;
    await server.kubectl(['create', 'rolebinding', user, `--clusterrole=${role}`, `--user=${user}`, '-n', namespace]);
    await eventually('the role to be known', async () => can(user, 'get rollouts.serin.dev', namespace));
    expect(await can(user, question, namespace)).toBe(expected);
  });
});

stage.describe('the rights to change flags, where a namespace binds them', () => {
  const bind = (role: string) =>
    server.kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}`, '-n', namespace]);

  test.each([
    ['serin-flags-openfeature', 'list featureflags.core.openfeature.dev', true],
    ['serin-flags-openfeature', 'create featureflags.core.openfeature.dev', true],
    ['serin-flags-openfeature', 'patch featureflags.core.openfeature.dev', true],
    ['serin-flags-openfeature', 'list featureflagsources.core.openfeature.dev', true],
    ['serin-flags-openfeature', 'delete featureflags.core.openfeature.dev', false],
    ['serin-flags-openfeature', 'update featureflags.core.openfeature.dev', false],
    ['serin-flags-openfeature', 'patch featureflagsources.core.openfeature.dev', false],
    ['serin-flags-openfeature', 'get configmaps', false],
    ['serin-flags-configmap', 'patch configmaps', true],
    ['serin-flags-configmap', 'list configmaps', false],
    ['serin-flags-configmap', 'create configmaps', false],
    ['serin-flags-configmap', 'delete configmaps', false],
    ['serin-flags-configmap', 'get secrets', false],
  ])('%s, %s: %s', async (role, question, expected) => {
    await bind(role).catch(() => undefined);
    const first = role === 'serin-flags-configmap' ? 'get configmaps' : 'get featureflags.core.openfeature.dev';
    await eventually('the role to be known', async () => can(role, first, namespace));
    expect(await can(role, question, namespace)).toBe(expected);
    expect(await can(role, question, 'default')).toBe(false);
  });
});
