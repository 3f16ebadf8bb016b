// The role serin-approver alone: it can do what its name says where it is bound, and nobody gains by it what they do not have.
import { type Answer, type Asking, pathTo } from './api-server.ts';
import { deploymentPath, manifest } from './deployments.ts';
import { eventually } from './install.ts';
import { action, rollout, serinPath } from './rollouts.ts';
import { openStage } from './stage.ts';

const stage = openStage('approver');
const { server, namespace } = stage;

const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
const rollouts = serinPath('rollouts', namespace);
const actions = serinPath('rolloutactions', namespace);

/** As the test cluster knows these two: alice is a release manager, bob is not. */
const alice: Asking = { as: 'alice', groups: ['release-managers', 'developers'] };
const bob: Asking = { as: 'bob', groups: ['developers'] };
const user = (name: string): Asking => ({ as: name, groups: ['others'] });

const mayAct = { apiGroups: ['serin.dev'], resources: ['rolloutactions'], verbs: ['create'] };
const isEntrusted = { apiGroups: ['serin.dev'], resources: ['rollouts/actions'], verbs: ['create'] };
/** Everything with Serin's own objects, by every verb that there may ever be. */
const mayWriteSerin = { apiGroups: ['serin.dev'], resources: ['rollouts', 'rolloutactions'], verbs: ['*'] };
const update = (group: string, resource: string) => ({ apiGroups: [group], resources: [resource], verbs: ['update'] });
const all = [update('apps', 'deployments'), update('', 'services'), update('gateway.networking.k8s.io', 'httproutes')];

/** The longest lists that a Rollout can have: each entry is a question to the authorizer. */
const widest = {
  alsoReachable: Array.from({ length: 8 }, (_, i) => `s${i + 1}`),
  routes: Array.from({ length: 8 }, (_, i) => ({ kind: 'HTTPRoute', name: `r${i + 1}` })),
};

async function bind(name: string, role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string }, to: object) {
  const apiGroup = 'rbac.authorization.k8s.io';
  const subjects = [{ apiGroup, ...to }];
  return server.ask('POST', `${rbac}/rolebindings`, { metadata: { name }, roleRef: { apiGroup, ...role }, subjects });
}

async function give(name: string, rules: readonly object[]): Promise<void> {
  await server.ask('POST', `${rbac}/roles`, { metadata: { name }, rules });
  await bind(name, { kind: 'Role', name }, { kind: 'User', name });
}

function act(who: Asking, name = 'shop', inNamespace = namespace): Promise<Answer> {
  return server.ask('POST', `${serinPath('rolloutactions', inNamespace)}?dryRun=All`, action(name), who);
}

stage.describe('the role serin-approver', () => {
  beforeAll(async () => {
    await server.ask('POST', deploymentPath(namespace), manifest('shop', 'app:1'));
    for (const name of ['shop', 'till']) await server.ask('POST', rollouts, rollout(name));
    await server.ask('POST', rollouts, rollout('wide', widest));
    await bind(
      'approvers',
      { kind: 'ClusterRole', name: 'serin-approver' },
      { kind: 'Group', name: 'release-managers' },
    );
    await bind('chief', { kind: 'ClusterRole', name: 'admin' }, { kind: 'User', name: 'chief' });
    await give('bob', [mayWriteSerin]);
    await give('one-only', [mayAct, { ...isEntrusted, resourceNames: ['shop'] }]);
    await give('without-actions', [isEntrusted]);
    await give('author', [mayWriteSerin, isEntrusted]);
    await give('releaser', [mayAct, ...all]);
    await eventually('the rights and the Rollouts to be known', async () => {
      const [ofAlice, ofBob, ofReleaser] = [await act(alice), await act(bob), await act(user('releaser'), 'wide')];
      return ofAlice.status === 201 && ofBob.status === 403 && ofReleaser.status === 201;
    });
  });

  test.each(['shop', 'till', 'wide'])('is enough to act on Rollout %s, in the own name', async (name) => {
    const { status, body } = await act(alice, name);
    expect(status).toBe(201);
    expect(body['spec']).toMatchObject({ rollout: name, by: 'alice' });
  });

  test('is not in the name of somebody else', async () => {
    const { body } = await server.ask('POST', `${actions}?dryRun=All`, action('shop', { by: 'the-boss' }), alice);
    expect(body['spec']).toMatchObject({ by: 'alice' });
  });

  test('has a right under a name at which there is nothing to be had', async () => {
    const { status } = await server.ask('POST', `${serinPath('rollouts', namespace, 'shop')}/actions`, {}, alice);
    expect(status).toBe(404);
  });

  test('is for the namespaces in which it is bound', async () => {
    expect((await act(alice, 'shop', 'default')).status).toBe(403);
  });

  test.each([
    ['POST', rollouts, rollout('new')],
    ['PATCH', serinPath('rollouts', namespace, 'shop'), { spec: { strategy: { bake: '1s' } } }],
    ['DELETE', serinPath('rollouts', namespace, 'shop'), undefined],
    ['PATCH', `${serinPath('rollouts', namespace, 'shop')}/status`, { status: { phase: 'Idle' } }],
    ['DELETE', actions, undefined],
    ['PATCH', deploymentPath(namespace, 'shop'), { spec: { paused: true } }],
    ['PATCH', `${deploymentPath(namespace, 'shop')}/scale`, { spec: { replicas: 9 } }],
    ['DELETE', pathTo('v1', 'pods', namespace), undefined],
    ['GET', pathTo('v1', 'secrets', namespace), undefined],
  ] as const)('is no right to %s %s', async (method, path, body) => {
    const { status } = await server.ask(method, `${path}?dryRun=All`, body, alice);
    expect(status).toBe(403);
  });
});

stage.describe('whom nobody entrusted with a Rollout', () => {
  test('may not act on it by any right to Rollouts and actions themselves', async () => {
    const { status, body } = await act(bob);
    expect(status).toBe(403);
    expect(body.message).toContain('bob may not update Deployment shop and so may not act on Rollout shop');
  });

  test('may act on it who may update all that it writes, be it the widest that there can be', async () => {
    expect((await act(user('releaser'))).status).toBe(201);
    expect((await act(user('releaser'), 'wide')).status).toBe(201);
  });

  test('may not act on one because they may act on another', async () => {
    expect((await act(user('one-only'), 'shop')).status).toBe(201);
    expect((await act(user('one-only'), 'till')).status).toBe(403);
  });

  test('may not act without the right to make actions', async () => {
    expect((await act(user('without-actions'))).status).toBe(403);
  });
});

stage.describe('who may act on Rollouts', () => {
  test('may not write one for a Deployment that they may not update', async () => {
    const path = `${rollouts}?dryRun=All`;
    const { status, body } = await server.ask('POST', path, rollout('new'), user('author'));
    expect(status).toBe(403);
    expect(body.message).toContain('author may not update Deployment new, so a Rollout of theirs may not release it');
  });

  test.each([{ traffic: { alsoReachable: ['till'] } }, { strategy: { bake: '1s' } }])(
    'may not change one by %j',
    async (spec) => {
      const path = `${serinPath('rollouts', namespace, 'shop')}?dryRun=All`;
      expect((await server.ask('PATCH', path, { spec }, user('author'))).status).toBe(403);
    },
  );

  test.each(['chief', 'bob'])('is not for %s to say, who has not got the right', async (name) => {
    const asking = user(name);
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'serin-approver' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }];
    const binding = { metadata: { name: `of-${name}` }, roleRef: role, subjects };
    const { status } = await server.ask('POST', `${rbac}/rolebindings?dryRun=All`, binding, asking);
    expect(status).toBe(403);
  });
});
