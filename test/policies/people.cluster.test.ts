import { type Answer, SERIN } from './api-server.ts';
import { eventually } from './install.ts';
import { action, rollout, serinPath } from './rollouts.ts';
import { openStage } from './stage.ts';
import { startWebhook } from './webhook.ts';

const stage = openStage('people');
const { server, namespace } = stage;

const rollouts = serinPath('rollouts', namespace);
const actions = serinPath('rolloutactions', namespace);
const as = (user: string) => ({ as: user, groups: ['developers'] });

const mayWriteSerin = { apiGroups: ['serin.dev'], resources: ['rollouts', 'rolloutactions'], verbs: ['*'] };
const deployments = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['update'], resourceNames: ['shop'] };
const services = { apiGroups: [''], resources: ['services'], verbs: ['update'] };
const routes = { apiGroups: ['gateway.networking.k8s.io'], resources: ['httproutes'], verbs: ['update'] };
const named = (rule: object, ...resourceNames: string[]) => ({ ...rule, resourceNames });

/** Who may do what in this namespace; everybody may write Serin's objects. */
const people: Record<string, readonly object[]> = {
  alice: [deployments, services, routes],
  'bob-without-deployment': [named(deployments, 'another'), services, routes],
  'bob-without-service': [deployments, named(services, 'another'), routes],
  'bob-without-second-service': [
    deployments,
    named(services, 'shop', 's1', 's2', 's3', 's4', 's5', 's6', 's7'),
    routes,
  ],
  'bob-without-route': [deployments, services, named(routes, 'another')],
  'bob-without-last-route': [deployments, services, named(routes, 'shop', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7')],
};

/** As long as the CRD lets these lists be. */
const widest = {
  alsoReachable: Array.from({ length: 8 }, (_, i) => `s${i + 1}`),
  routes: ['shop', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8'].map((name) => ({ kind: 'HTTPRoute', name })),
};

function tryRollout(user: string, traffic: object = {}): Promise<Answer> {
  return server.ask('POST', `${rollouts}?dryRun=All`, rollout('shop', traffic), as(user));
}

function tryAction(user: string, name = 'shop'): Promise<Answer> {
  return server.ask('POST', `${actions}?dryRun=All`, action(name), as(user));
}

const rolloutActionsCreated = {
  apiGroups: ['serin.dev'],
  apiVersions: ['v1alpha1'],
  resources: ['rolloutactions'],
  operations: ['CREATE'],
};

async function giveRights(user: string, rules: readonly object[]): Promise<void> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: user };
  await server.ask('POST', `${path}/roles`, { metadata, rules: [mayWriteSerin, ...rules] });
  await server.ask('POST', `${path}/rolebindings`, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

stage.describe('who may release', () => {
  beforeAll(async () => {
    for (const [user, rules] of Object.entries(people)) await giveRights(user, rules);
    await eventually('the rights to be known', async () => {
      return (await server.ask('GET', rollouts, undefined, as('bob-without-last-route'))).status === 200;
    });
  });

  test('whoever may update the Deployment, the Services and the routes', async () => {
    expect((await tryRollout('alice')).status).toBe(201);
    expect((await tryRollout('alice', widest)).status).toBe(201);
  });

  test.each([
    ['bob-without-deployment', {}, 'may not update Deployment shop, so a Rollout of theirs may not release it'],
    ['bob-without-service', {}, 'may not update each of the Services shop, so a Rollout'],
    [
      'bob-without-second-service',
      widest,
      'may not update each of the Services shop, s1, s2, s3, s4, s5, s6, s7, s8, so',
    ],
    ['bob-without-route', {}, 'may not update each of the HTTPRoutes shop, so a Rollout'],
    ['bob-without-last-route', widest, 'may not update each of the HTTPRoutes shop, r2, r3, r4, r5, r6, r7, r8, so'],
  ])('not %s', async (user, traffic, message) => {
    const { status, body } = await tryRollout(user, traffic);
    expect(status).toBe(403);
    expect(body.message).toContain(`${user} ${message}`);
  });

  test('and where there are no routes, or no Service, nobody is asked about them', async () => {
    const behindService = { routes: undefined };
    expect((await tryRollout('bob-without-route', behindService)).status).toBe(201);
    expect((await tryRollout('bob-without-service', behindService)).status).toBe(403);
    const { spec, ...worker } = rollout('shop');
    const path = `${rollouts}?dryRun=All`;
    const bare = { ...worker, spec: { targetRef: spec.targetRef } };
    expect((await server.ask('POST', path, bare, as('bob-without-service'))).status).toBe(201);
    expect((await server.ask('POST', path, bare, as('bob-without-deployment'))).status).toBe(403);
  });

  test('nor whoever changes a Rollout so that it reaches what they may not update', async () => {
    await server.ask('POST', rollouts, rollout('shop'));
    const path = serinPath('rollouts', namespace, 'shop');
    const wider = { spec: { traffic: { alsoReachable: ['s8'] } } };
    expect((await server.ask('PATCH', path, wider, as('bob-without-second-service'))).status).toBe(403);
    expect((await server.ask('PATCH', path, wider, as('alice'))).status).toBe(200);
    await server.ask('PATCH', path, { spec: { traffic: { alsoReachable: null } } });
    const label = { metadata: { labels: { note: 'x' } } };
    expect((await server.ask('PATCH', path, label, as('bob-without-deployment'))).status).toBe(200);
  });
});

stage.describe('who may act on a release', () => {
  test('whoever may update the Deployment of a Rollout without Service and routes', async () => {
    const { spec, ...worker } = rollout('mailer');
    const bare = { ...worker, spec: { targetRef: { ...spec.targetRef, name: 'shop' } } };
    expect((await server.ask('POST', rollouts, bare)).status).toBe(201);
    await eventually(
      'the Rollout to be known to the policy',
      async () => (await tryAction('alice', 'mailer')).status === 201,
    );
    expect((await tryAction('bob-without-service', 'mailer')).status).toBe(201);
    expect((await tryAction('bob-without-deployment', 'mailer')).status).toBe(403);
    await server.ask('DELETE', serinPath('rollouts', namespace, 'mailer'));
  });

  beforeAll(async () => {
    await server.ask('POST', rollouts, rollout('wide', widest));
    await server.ask('POST', rollouts, rollout('shop'));
    await server.ask('POST', rollouts, rollout('another'));
    await eventually('the policy to know the Rollouts', async () => {
      return (await tryAction('bob-without-deployment')).status === 403;
    });
  });

  test('whoever may update what it writes, however many other Rollouts there are', async () => {
    expect((await tryAction('alice')).status).toBe(201);
  });

  test.each([
    ['bob-without-deployment', 'shop', 'may not update Deployment shop and so may not act on Rollout shop'],
    ['bob-without-service', 'shop', 'may not update each of the Services shop and so may not act'],
    ['bob-without-route', 'shop', 'may not update each of the HTTPRoutes shop and so may not act'],
    ['alice', 'wide', 'may not update Deployment wide and so may not act on Rollout wide'],
  ])('not %s on %s', async (user, name, message) => {
    const { status, body } = await tryAction(user, name);
    expect(status).toBe(403);
    expect(body.message).toContain(`${user} ${message}`);
  });

  test('an admin on the widest Rollout that there can be', async () => {
    expect((await server.ask('POST', `${actions}?dryRun=All`, action('wide'))).status).toBe(201);
  });
});

stage.describe('who an action is by', () => {
  test('is stamped by the API server', async () => {
    const { status, body } = await server.ask('POST', actions, action('shop'), as('alice'));
    expect(status).toBe(201);
    expect(body['spec']).toMatchObject({ by: 'alice' });
  });

  test('is stamped over whatever the request said', async () => {
    const { body } = await server.ask('POST', actions, action('shop', { by: 'the-boss' }), as('alice'));
    expect(body['spec']).toMatchObject({ by: 'alice' });
  });

  stage.testWith(['webhooks'], 'is refused when a webhook insists on another name', async () => {
    const stop = await startWebhook(stage, rolloutActionsCreated, () => [
      { op: 'add', path: '/spec/by', value: 'the-boss' },
    ]);
    try {
      await eventually('the webhook to be called', async () => {
        return (await server.ask('POST', `${actions}?dryRun=All`, action('shop'), as('alice'))).status !== 201;
      });
      const { status, body } = await server.ask('POST', actions, action('shop'), as('alice'));
      expect(status).toBe(403);
      expect(body.message).toContain('spec.by says the-boss but the request comes from alice');
    } finally {
      await stop();
    }
  });

  test('cannot be changed afterwards', async () => {
    const { body } = await server.ask('POST', actions, action('shop'), as('alice'));
    const path = serinPath('rolloutactions', namespace, body.metadata?.name);
    expect((await server.ask('PATCH', path, { spec: { by: 'the-boss' } })).status).toBe(422);
  });

  test('an action without a spec is refused for that, not by the policy', async () => {
    const { spec: _spec, ...bare } = action('shop');
    const { body } = await server.ask('POST', actions, bare);
    expect(body.message).toContain('spec: Required value');
  });
});

stage.describe('a status', () => {
  test.each([
    ['rollouts', { phase: 'Idle' }],
    ['rolloutactions', { state: 'Accepted', at: '2026-11-24T04:00:00Z', message: 'x' }],
  ])('of %s is written by Serin and nobody else', async (plural, status) => {
    const object = plural === 'rollouts' ? rollout('stated') : action('shop');
    const created = await server.ask('POST', serinPath(plural, namespace), object);
    const path = `${serinPath(plural, namespace, created.body.metadata?.name)}/status`;
    const refused = await server.ask('PATCH', path, { status });
    expect(refused.status).toBe(403);
    expect(refused.body.message).toContain('is written by Serin alone; to act on a release, create a RolloutAction');
    expect(await server.ask('PATCH', path, { status }, { as: SERIN })).toMatchObject({ status: 200, body: { status } });
  });

  test('does not come in with the object', async () => {
    const { body } = await server.ask('POST', rollouts, { ...rollout('smuggled'), status: { phase: 'Promoting' } });
    expect(body).not.toHaveProperty('status');
  });
});
