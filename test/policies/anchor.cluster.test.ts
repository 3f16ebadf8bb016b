import { SERIN } from './api-server.ts';
import { eventually } from './install.ts';
import { anchor, serinPath } from './rollouts.ts';
import { openStage } from './stage.ts';

const stage = openStage('anchor');
const { server, namespace } = stage;
const path = (name?: string, inside = namespace) => serinPath('releaserecords', inside, name);
const create = (name: string, inside = namespace) =>
  server.ask('POST', path(undefined, inside), anchor(name), { as: SERIN });
const letGo = { metadata: { finalizers: null } };

stage.describe('the record that owns the pods of a running attempt', () => {
  afterAll(async () => {
    for (const name of ['kept', 'collected', 'tied', 'noted']) {
      await server.ask('PATCH', path(name), letGo, { as: SERIN });
    }
  });

  test('is not deleted by an admin, one by one or all at once', async () => {
    await create('kept');
    const { status, body } = await server.ask('DELETE', path('kept'));
    expect(status).toBe(403);
    expect(body.message).toContain('release record kept owns the pods of a running attempt. Abort the release first');
    expect((await server.ask('DELETE', path())).status).toBe(403);
    expect((await server.ask('GET', path('kept'))).body.metadata).not.toHaveProperty('deletionTimestamp');
  });

  test('is not deleted by the garbage collector', async () => {
    await create('collected');
    const collector = 'system:serviceaccount:kube-system:generic-garbage-collector';
    expect(
      (await server.ask('DELETE', path('collected'), undefined, { as: collector, groups: ['system:masters'] })).status,
    ).toBe(403);
  });

  test('keeps its finalizer whoever takes it off, and however', async () => {
    await create('tied');
    const patched = await server.ask('PATCH', path('tied'), letGo);
    expect(patched.status).toBe(403);
    expect(patched.body.message).toContain('finalizer serin.dev/anchor of release record tied is taken off by Serin');
    const others = { metadata: { finalizers: ['example.com/other'] } };
    expect((await server.ask('PATCH', path('tied'), others)).status).toBe(403);
    const { body } = await server.ask('GET', path('tied'));
    const stripped = { ...body, metadata: { ...body.metadata, finalizers: [] } };
    expect((await server.ask('PUT', path('tied'), stripped)).status).toBe(403);
  });

  test('may be labelled by anyone', async () => {
    await create('noted');
    expect((await server.ask('PATCH', path('noted'), { metadata: { labels: { note: 'x' } } })).status).toBe(200);
  });

  test('is let go and deleted by Serin', async () => {
    await create('ended');
    expect((await server.ask('PATCH', path('ended'), letGo, { as: SERIN })).status).toBe(200);
    expect((await server.ask('DELETE', path('ended'), undefined, { as: SERIN })).status).toBe(200);
    expect((await server.ask('GET', path('ended'))).status).toBe(404);
  });

  test('is history once its attempt has ended: an admin may delete it', async () => {
    await create('history');
    await server.ask('PATCH', path('history'), letGo, { as: SERIN });
    expect((await server.ask('DELETE', path('history'))).status).toBe(200);
  });
});

stage.describe('deleting a namespace', () => {
  test('with a running attempt in it ends when Serin lets go of the record', async () => {
    const doomed = await doomedNamespace('a');
    await create('left', doomed);
    await server.ask('DELETE', `/api/v1/namespaces/${doomed}`);
    await eventually('the namespace controller to delete the record', async () => {
      const { body } = await server.ask('GET', path('left', doomed));
      return body.metadata !== undefined && 'deletionTimestamp' in body.metadata;
    });
    expect((await server.ask('PATCH', path('left', doomed), letGo, { as: SERIN })).status).toBe(200);
    await gone(doomed);
  }, 60_000);

  test('is not blocked by records of a Serin that is gone: an admin may then let go of them', async () => {
    const doomed = await doomedNamespace('b');
    await create('orphan', doomed);
    await server.ask('DELETE', `/api/v1/namespaces/${doomed}`);
    await eventually(
      'the record to be free',
      async () => (await server.ask('PATCH', path('orphan', doomed), letGo)).status < 300,
    );
    await gone(doomed);
  }, 60_000);
});

async function doomedNamespace(suffix: string): Promise<string> {
  const name = `${namespace}-${suffix}`;
  await server.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  return name;
}

function gone(name: string): Promise<void> {
  return eventually(`namespace ${name} to be gone`, async () => {
    return (await server.ask('GET', `/api/v1/namespaces/${name}`)).status === 404;
  });
}
