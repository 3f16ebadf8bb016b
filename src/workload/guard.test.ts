import { deployment, recordedApi, refused } from './fixtures.ts';
import { proveGuard } from './guard.ts';

const held = { annotations: { 'serin.dev/held': 'true' } };

test('the guard is tried by another identity in a dry run that also takes pause and mark off', async () => {
  const { client, requests } = recordedApi(() => deployment({ paused: true }, held));
  expect(await proveGuard(client, deployment())).toBe('proven');
  expect(requests[0]).toMatchObject({
    method: 'PATCH',
    query: { dryRun: 'All', fieldManager: 'serin-probe' },
    impersonate: { user: 'system:serviceaccount:serin-system:serin-probe' },
    body: {
      metadata: { labels: { 'serin.dev/attached': 'true' }, annotations: { 'serin.dev/held': null } },
      spec: { paused: null, template: { metadata: { annotations: { 'serin.dev/probe': 'deployment-uid-1' } } } },
    },
  });
  expect(JSON.stringify(requests[0]?.body)).not.toContain('resourceVersion');
});

test.each([
  ['nothing holds the template', deployment()],
  ['it is paused, but not under our mark', deployment({ paused: true })],
  ['it is marked, but not paused', deployment({}, held)],
])('absent: %s', async (_why, answer) => {
  expect(await proveGuard(recordedApi(() => answer).client, deployment())).toBe('absent');
});

test('a probe that may not ask has proved nothing', async () => {
  const { client } = recordedApi(() => {
    throw refused('Forbidden');
  });
  expect(await proveGuard(client, deployment())).toBe('absent');
});

test.each(['Timeout', 'Network', 'Unavailable', 'TooManyRequests'] as const)(
  '%s says nothing about the guard',
  async (code) => {
    const { client } = recordedApi(() => {
      throw refused(code);
    });
    await expect(proveGuard(client, deployment())).rejects.toMatchObject({ code });
  },
);
