import { SERIN, pathTo } from './api-server.ts';
import { openStage } from './stage.ts';

const stage = openStage('pin');
const { server, namespace } = stage;

const hash = '695d49c57z';
const pinned = { label: hash, selector: { app: 'shop', 'pod-template-hash': hash } };

/** As a user has it in Git: knows nothing of the pin. */
function manifest(name: string, selector: object = { app: 'shop' }) {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector, ports: [{ port: 80 }] } };
}

const path = (name: string) => pathTo('v1', 'services', namespace, name);
const patch = (name: string, body: object) => server.ask('PATCH', path(name), body);
const kubectl = (words: readonly string[], input?: object) => server.kubectl([...words, '-n', namespace], input);
const forced = ['apply', '--server-side', '--force-conflicts', '--field-manager', 'git', '-f', '-'];

/** Applied by its user, then pinned as Serin does it. */
async function pin(name: string): Promise<void> {
  const { code, output } = await kubectl(['apply', '-f', '-'], manifest(name));
  if (code !== 0) throw new Error(output);
  const body = {
    metadata: { labels: { 'serin.dev/pinned': hash } },
    spec: { selector: { 'pod-template-hash': hash } },
  };
  await server.ask('PATCH', path(name), body, { as: SERIN });
}

async function now(name: string) {
  const { body } = await server.ask('GET', path(name));
  return { label: body.metadata?.labels?.['serin.dev/pinned'], selector: Object(body['spec']).selector };
}

const attempts: Record<string, (name: string) => Promise<unknown>> = {
  'a forced server-side apply from Git': (name) => kubectl(forced, manifest(name)),
  'kubectl apply': (name) => kubectl(['apply', '-f', '-'], manifest(name)),
  'kubectl replace, which knows neither label nor pin': (name) => kubectl(['replace', '-f', '-'], manifest(name)),
  'kubectl set selector': (name) => kubectl(['set', 'selector', `service/${name}`, 'app=shop']),
  'removing the hash': (name) => patch(name, { spec: { selector: { 'pod-template-hash': null } } }),
  'naming another revision': (name) => patch(name, { spec: { selector: { 'pod-template-hash': 'other' } } }),
  'naming another revision in the label too': (name) =>
    patch(name, {
      metadata: { labels: { 'serin.dev/pinned': 'other' } },
      spec: { selector: { 'pod-template-hash': 'other' } },
    }),
};

stage.describe('a pinned Service', () => {
  test.each(Object.entries(attempts))('keeps to the old revision under %s', async (way, attempt) => {
    const name = nameOf(way);
    await pin(name);
    expect(await now(name)).toEqual(pinned);
    await attempt(name);
    expect(await now(name)).toEqual(pinned);
  });

  test("keeps the user's own changes of everything else", async () => {
    await pin('changed');
    await kubectl(forced, manifest('changed', { app: 'shop', tier: 'web' }));
    expect(await now('changed')).toEqual({
      label: hash,
      selector: { app: 'shop', tier: 'web', 'pod-template-hash': hash },
    });
  });

  test('is let go by removing the label; the selector is then free', async () => {
    await pin('freed');
    await kubectl(['label', 'service/freed', 'serin.dev/pinned-']);
    expect(await now('freed')).toEqual({ label: undefined, selector: pinned.selector });
    await patch('freed', { spec: { selector: { 'pod-template-hash': null } } });
    expect(await now('freed')).toEqual({ label: undefined, selector: { app: 'shop' } });
  });

  test('is let go in one write that says so', async () => {
    await pin('released');
    await patch('released', {
      metadata: { labels: { 'serin.dev/pinned': 'released' } },
      spec: { selector: { 'pod-template-hash': null } },
    });
    expect(await now('released')).toEqual({ label: 'released', selector: { app: 'shop' } });
    await kubectl(forced, manifest('released'));
    expect(await now('released')).toEqual({ label: 'released', selector: { app: 'shop' } });
  });

  test('is pinned to another revision and unpinned by Serin', async () => {
    await pin('served');
    const other = {
      metadata: { labels: { 'serin.dev/pinned': 'b' } },
      spec: { selector: { 'pod-template-hash': 'b' } },
    };
    await server.ask('PATCH', path('served'), other, { as: SERIN });
    expect(await now('served')).toEqual({ label: 'b', selector: { app: 'shop', 'pod-template-hash': 'b' } });
    const none = {
      metadata: { labels: { 'serin.dev/pinned': null } },
      spec: { selector: { 'pod-template-hash': null } },
    };
    await server.ask('PATCH', path('served'), none, { as: SERIN });
    expect(await now('served')).toEqual({ label: undefined, selector: { app: 'shop' } });
  });

  test('can be deleted, and can stop to select pods', async () => {
    await pin('gone');
    const external = { spec: { type: 'ExternalName', externalName: 'shop.example', selector: null, clusterIP: null } };
    expect((await patch('gone', external)).status).toBe(200);
    expect((await kubectl(['delete', 'service/gone'])).code).toBe(0);
  });
});

stage.describe('a Service without a pin', () => {
  test('is none of our business', async () => {
    await kubectl(['apply', '-f', '-'], manifest('free', { app: 'shop', 'pod-template-hash': 'mine' }));
    await kubectl(forced, manifest('free'));
    expect(await now('free')).toEqual({ label: undefined, selector: { app: 'shop' } });
  });

  test('does not become pinned by a label alone', async () => {
    await kubectl(['apply', '-f', '-'], manifest('labelled'));
    await kubectl(['label', 'service/labelled', 'serin.dev/pinned=x']);
    await kubectl(forced, manifest('labelled', { app: 'other' }));
    expect((await now('labelled')).selector).toEqual({ app: 'other' });
  });
});

function nameOf(way: string): string {
  return `s-${way
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .slice(0, 40)}`.replace(/-$/, '');
}
