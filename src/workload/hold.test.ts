import { deployment, recordedApi } from './fixtures.ts';
import { attach, detach, guardByPause, hold, resume, setMaxSurge } from './hold.ts';

const attached = { labels: { 'serin.dev/attached': 'true' } };

test('every write happens only on the Deployment as it was looked at', async () => {
  const { client, requests } = recordedApi();
  const seen = deployment({}, attached);
  await attach(client, seen);
  await hold(client, seen);
  await guardByPause(client, seen);
  await resume(client, seen);
  await detach(client, seen, true);
  await setMaxSurge(client, seen, '100%');
  expect(requests).toHaveLength(6);
  for (const { body, query } of requests) {
    expect(body).toMatchObject({ metadata: { resourceVersion: '100' } });
    expect(query).toMatchObject({ fieldManager: 'serin' });
    expect(JSON.stringify(body)).not.toMatch(/"template"|"replicas"/);
  }
});

test('attaching writes the label and nothing else', async () => {
  const { client, requests } = recordedApi();
  await attach(client, deployment());
  expect(requests[0]?.body).toEqual({ metadata: { labels: { 'serin.dev/attached': 'true' }, resourceVersion: '100' } });
});

test('resuming takes pause and mark off together and gives the fields back', async () => {
  const { client, requests } = recordedApi();
  const others = [{ manager: 'kubectl' }, { manager: 'kube-controller-manager', subresource: 'status' }];
  await resume(client, deployment({ paused: true }, { managedFields: [{ manager: 'serin' }, ...others] }));
  expect(requests[0]?.body).toEqual({
    metadata: { annotations: { 'serin.dev/held': null }, managedFields: others, resourceVersion: '100' },
    spec: { paused: null },
  });
});

describe('the pause guard', () => {
  const noted = { annotations: { 'serin.dev/held': 'true', 'serin.dev/progress-deadline': '300' } };

  test('pauses under our mark, lifts the progress deadline and notes the user’s own', async () => {
    const { client, requests } = recordedApi();
    await guardByPause(client, deployment({ progressDeadlineSeconds: 300 }, attached));
    await guardByPause(client, deployment({}, attached));
    expect(requests.map(({ body }) => body)).toMatchObject([
      {
        metadata: { annotations: noted.annotations },
        spec: { paused: true, progressDeadlineSeconds: 2_147_483_647 },
      },
      { metadata: { annotations: { 'serin.dev/progress-deadline': '600' } } },
    ]);
  });

  test('put on again it keeps the note, and takes a deadline that was edited meanwhile', async () => {
    const { client, requests } = recordedApi();
    await guardByPause(client, deployment({ progressDeadlineSeconds: 2_147_483_647 }, noted));
    await guardByPause(client, deployment({ progressDeadlineSeconds: 120 }, noted));
    expect(requests.map(({ body }) => body)).toMatchObject([
      { metadata: { annotations: { 'serin.dev/progress-deadline': '300' } } },
      { metadata: { annotations: { 'serin.dev/progress-deadline': '120' } } },
    ]);
  });

  test.each([
    ['resumed', resume],
    [
      'detached',
      (client: Parameters<typeof detach>[0], seen: Parameters<typeof detach>[1]) => detach(client, seen, false),
    ],
  ] as const)('a Deployment that is %s gets its deadline back', async (_how, give) => {
    const { client, requests } = recordedApi();
    await give(client, deployment({ paused: true, progressDeadlineSeconds: 2_147_483_647 }, noted));
    await give(client, deployment({ paused: true, progressDeadlineSeconds: 120 }, noted));
    const note = { 'serin.dev/held': null, 'serin.dev/progress-deadline': null };
    expect(requests[0]?.body).toMatchObject({
      metadata: { annotations: note },
      spec: { progressDeadlineSeconds: 300 },
    });
    expect(requests[1]?.body).toMatchObject({ metadata: { annotations: note } });
    expect(JSON.stringify(requests[1]?.body)).not.toContain('progressDeadlineSeconds');
  });
});

describe('giving it back', () => {
  test('unpauses only when asked', async () => {
    const { client, requests } = recordedApi();
    await detach(client, deployment({ paused: true }, attached), false);
    expect(requests[0]?.body).toEqual({
      metadata: {
        labels: { 'serin.dev/attached': null },
        annotations: { 'serin.dev/held': null },
        resourceVersion: '100',
      },
    });
  });

  test('leaves the label by which a person broke the glass', async () => {
    const { client, requests } = recordedApi();
    await detach(client, deployment({}, { labels: { 'serin.dev/attached': 'released' } }), true);
    expect(requests[0]?.body).toEqual({
      metadata: { annotations: { 'serin.dev/held': null }, resourceVersion: '100' },
      spec: { paused: null },
    });
  });
});

test('maxSurge is a number or a percentage, and with Recreate only its annotation is written', async () => {
  const { client, requests } = recordedApi();
  await setMaxSurge(client, deployment(), '1');
  await setMaxSurge(client, deployment(), '100%');
  await setMaxSurge(client, deployment({ strategy: { type: 'Recreate' } }), '25%');
  expect(requests[2]?.body).not.toHaveProperty('spec');
  expect(requests[2]?.body).toMatchObject({ metadata: { annotations: { 'serin.dev/max-surge': null } } });
  expect(requests.slice(0, 2).map(({ body }) => body)).toMatchObject([
    { spec: { strategy: { rollingUpdate: { maxSurge: 1 } } } },
    { spec: { strategy: { rollingUpdate: { maxSurge: '100%' } } } },
  ]);
});

test('the user’s own maxSurge stands in an annotation until it is restored', async () => {
  const { client, requests } = recordedApi();
  await setMaxSurge(client, deployment(), '100%', '25%');
  await setMaxSurge(client, deployment(), '25%');
  expect(requests.map(({ body }) => body)).toMatchObject([
    { metadata: { annotations: { 'serin.dev/max-surge': '25%' } } },
    { metadata: { annotations: { 'serin.dev/max-surge': null } } },
  ]);
});
