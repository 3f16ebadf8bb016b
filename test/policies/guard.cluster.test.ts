import { PROBE, SERIN } from './api-server.ts';
import { attach, deploymentPath, held, manifest } from './deployments.ts';
import { eventually } from './install.ts';
import { openStage } from './stage.ts';
import { startWebhook } from './webhook.ts';

const stage = openStage('guard');
const { server, namespace } = stage;
const kubectl = (...words: string[]) => server.kubectl([...words, '-n', namespace]);
const now = (name: string) => held(server, namespace, name);
const setImage = (image: string) => ({ spec: { template: { spec: { containers: [{ name: 'app', image }] } } } });

const isHeld = { paused: true, mark: 'true', attached: 'true' };
const isFree = { paused: false, mark: undefined, attached: 'true' };

/** The ways in which people and tools bring a new template. */
const bringers: Record<string, (name: string) => Promise<unknown>> = {
  'kubectl apply': (name) => server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest(name, 'app:2')),
  'a forced server-side apply by another manager': (name) =>
    server.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager', 'git', '-n', namespace, '-f', '-'],
      manifest(name, 'app:2'),
    ),
  'kubectl replace, which knows neither label nor mark': (name) =>
    server.kubectl(['replace', '-n', namespace, '-f', '-'], manifest(name, 'app:2')),
  'kubectl set image': (name) => kubectl('set', 'image', `deployment/${name}`, 'app=app:2'),
  'a write that says paused: false': (name) =>
    server.ask('PUT', deploymentPath(namespace, name), manifest(name, 'app:2', { paused: false })),
  'a write that drops the label': async (name) => {
    const labels = { 'serin.dev/attached': null };
    return server.ask('PATCH', deploymentPath(namespace, name), { metadata: { labels }, ...setImage('app:2') });
  },
  'a write that gives the label another value': async (name) => {
    const labels = { 'serin.dev/attached': 'no' };
    return server.ask('PATCH', deploymentPath(namespace, name), { metadata: { labels }, ...setImage('app:2') });
  },
};

stage.describe('an attached Deployment', () => {
  test.each(Object.entries(bringers))('is held by %s with a new template', async (way, bring) => {
    const name = nameOf(way);
    await attach(server, namespace, name);
    expect(await now(name)).toMatchObject({ ...isFree, image: 'app:1' });
    await bring(name);
    expect(await now(name)).toEqual({ ...isHeld, image: 'app:2' });
  });

  test('is held by kubectl rollout restart', async () => {
    await attach(server, namespace, 'restarted');
    await kubectl('rollout', 'restart', 'deployment/restarted');
    expect(await now('restarted')).toMatchObject(isHeld);
  });

  test('is held by kubectl rollout undo', async () => {
    await attach(server, namespace, 'undone');
    await bySerin('undone', setImage('app:2'));
    await eventually('the controller to make two revisions', async () => {
      const { output } = await kubectl('get', 'replicasets', '-l', 'app=undone', '-o', 'name');
      return output.trim().split('\n').length === 2;
    });
    expect((await kubectl('rollout', 'undo', 'deployment/undone')).code).toBe(0);
    expect(await now('undone')).toEqual({ ...isHeld, image: 'app:1' });
  });

  stage.testWith(
    ['webhooks'],
    'is held when a webhook changes the template afterwards, where a condition on the template is fooled',
    async () => {
      await attach(server, namespace, 'tagged');
      await kubectl('label', 'deployment/tagged', 'mutated=true');
      await naivePolicy('create');
      const stop = await startWebhook(stage, deploymentsUpdated, digestOfFirstTag);
      // The write itself touches no template; the webhook writes a digest into it after the guard has looked.
      await eventually('naive policy and webhook to be in force', async () => {
        const path = `${deploymentPath(namespace, 'tagged')}?dryRun=All`;
        const { body } = await server.ask('PATCH', path, { metadata: { annotations: { note: '1' } } });
        const changed = await server.ask('PATCH', path, setImage('app:2'));
        return JSON.stringify(body).includes('app@sha256:1') && JSON.stringify(changed.body).includes('"naive"');
      });
      await server.ask('PATCH', deploymentPath(namespace, 'tagged'), { metadata: { annotations: { note: '1' } } });
      expect(await now('tagged')).toEqual({ ...isHeld, image: 'app@sha256:1' });
      const { body } = await server.ask('GET', deploymentPath(namespace, 'tagged'));
      expect(body.metadata?.annotations).not.toHaveProperty('naive');
      await stop();
      await naivePolicy('delete');
    },
    60_000,
  );

  test('with duplicate keys in its lists is held like any other', async () => {
    await attach(server, namespace, 'doubled');
    const env = [
      { name: 'MODE', value: 'a' },
      { name: 'MODE', value: 'b' },
    ];
    const template = { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:2', env }] } } } };
    expect(await server.ask('PATCH', deploymentPath(namespace, 'doubled'), template)).toMatchObject({ status: 200 });
    expect(await now('doubled')).toMatchObject(isHeld);
  });

  test('is left alone by writes that bring no template', async () => {
    await attach(server, namespace, 'quiet');
    await kubectl('annotate', 'deployment/quiet', 'note=1');
    await kubectl('scale', 'deployment/quiet', '--replicas=0');
    await server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest('quiet', 'app:1', { minReadySeconds: 3 }));
    await server.kubectl(['replace', '-n', namespace, '-f', '-'], manifest('quiet', 'app:1'));
    expect(await now('quiet')).toEqual({ ...isFree, image: 'app:1' });
  });

  test('is released by Serin alone', async () => {
    await attach(server, namespace, 'mine');
    await bySerin('mine', setImage('app:2'));
    expect(await now('mine')).toMatchObject({ ...isFree, image: 'app:2' });
    await kubectl('set', 'image', 'deployment/mine', 'app=app:3');
    await bySerin('mine', { metadata: { annotations: { 'serin.dev/held': null } }, spec: { paused: null } });
    expect(await now('mine')).toMatchObject({ ...isFree, image: 'app:3' });
  });
});

/** The ways in which a hold gets lost. */
const looseners: Record<string, (name: string) => Promise<unknown>> = {
  'kubectl rollout resume': (name) => kubectl('rollout', 'resume', `deployment/${name}`),
  'kubectl apply of the same manifest': (name) =>
    server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest(name, 'app:2')),
  'a forced apply that says paused: false': (name) =>
    server.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager', 'git', '-n', namespace, '-f', '-'],
      manifest(name, 'app:2', { paused: false }),
    ),
  'kubectl replace': (name) => server.kubectl(['replace', '-n', namespace, '-f', '-'], manifest(name, 'app:2')),
  'removing the mark': (name) => kubectl('annotate', `deployment/${name}`, 'serin.dev/held-'),
  'removing the label': (name) => kubectl('label', `deployment/${name}`, 'serin.dev/attached-'),
  'removing label, mark and pause at once': (name) =>
    server.ask('PATCH', deploymentPath(namespace, name), {
      metadata: { labels: null, annotations: null },
      spec: { paused: null },
    }),
};

stage.describe('a held Deployment', () => {
  test.each(Object.entries(looseners))('stays held under %s', async (way, loosen) => {
    const name = nameOf(way);
    await attach(server, namespace, name);
    await kubectl('set', 'image', `deployment/${name}`, 'app=app:2');
    await loosen(name);
    expect(await now(name)).toEqual({ ...isHeld, image: 'app:2' });
  });

  test('is let go by breaking the glass, in one write', async () => {
    await attach(server, namespace, 'glass');
    await kubectl('set', 'image', 'deployment/glass', 'app=app:2');
    await server.ask('PATCH', deploymentPath(namespace, 'glass'), {
      metadata: { labels: { 'serin.dev/attached': 'released' } },
      spec: { paused: null },
    });
    expect(await now('glass')).toMatchObject({ paused: false, attached: 'released' });
    await kubectl('set', 'image', 'deployment/glass', 'app=app:3');
    expect(await now('glass')).toMatchObject({ paused: false, attached: 'released', image: 'app:3' });
  });

  test('can be scaled by an autoscaler', async () => {
    await attach(server, namespace, 'scaled');
    await kubectl('set', 'image', 'deployment/scaled', 'app=app:2');
    expect((await kubectl('scale', 'deployment/scaled', '--replicas=1')).code).toBe(0);
    expect((await kubectl('get', 'deployment/scaled', '-o', 'jsonpath={.spec.replicas}')).output).toBe('1');
  });

  test('can be deleted', async () => {
    await attach(server, namespace, 'deleted');
    await kubectl('set', 'image', 'deployment/deleted', 'app=app:2');
    expect((await kubectl('delete', 'deployment/deleted', '--cascade=foreground', '--timeout=20s')).code).toBe(0);
  }, 30_000);
});

stage.describe('a Deployment in the seconds of its handover', () => {
  const strategy = (maxSurge: number | string) => ({ strategy: { rollingUpdate: { maxSurge, maxUnavailable: 0 } } });
  const surge = async (name: string) => {
    const { body } = await server.ask('GET', deploymentPath(namespace, name));
    const spec = Object(body['spec']);
    return [spec.strategy?.rollingUpdate?.maxSurge, body.metadata?.annotations?.['serin.dev/max-surge']];
  };
  const surged = async (name: string) => {
    await attach(server, namespace, name);
    await bySerin(name, {
      metadata: { annotations: { 'serin.dev/max-surge': '1' } },
      spec: { strategy: { rollingUpdate: { maxSurge: '100%' } } },
    });
  };

  test.each(
    Object.entries<(name: string) => Promise<unknown>>({
      'a forced apply from Git': (name) =>
        server.kubectl(
          ['apply', '--server-side', '--force-conflicts', '--field-manager', 'git', '-n', namespace, '-f', '-'],
          manifest(name, 'app:2', strategy(2)),
        ),
      'kubectl replace, which does not know the note': (name) =>
        server.kubectl(['replace', '-n', namespace, '-f', '-'], manifest(name, 'app:1', strategy(2))),
      'a patch': (name) => server.ask('PATCH', deploymentPath(namespace, name), { spec: strategy(2) }),
    }),
  )('keeps room for both revisions through %s, and what was wanted is noted', async (way, write) => {
    const name = nameOf(`surge ${way}`);
    await surged(name);
    await write(name);
    expect(await surge(name)).toEqual(['100%', '2']);
  });

  test('keeps the note when a write takes it off', async () => {
    await surged('noted');
    await kubectl('annotate', 'deployment/noted', 'serin.dev/max-surge-');
    expect(await surge('noted')).toEqual(['100%', '1']);
  });

  test('gets its own maxSurge back from Serin', async () => {
    await surged('restored');
    await bySerin('restored', {
      metadata: { annotations: { 'serin.dev/max-surge': null } },
      spec: { strategy: { rollingUpdate: { maxSurge: 1 } } },
    });
    expect(await surge('restored')).toEqual([1, undefined]);
    await server.ask('PATCH', deploymentPath(namespace, 'restored'), { spec: strategy(3) });
    expect(await surge('restored')).toEqual([3, undefined]);
  });

  test('may become Recreate, which needs no room', async () => {
    await surged('recreated');
    const recreate = { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } };
    expect(await server.ask('PATCH', deploymentPath(namespace, 'recreated'), recreate)).toMatchObject({ status: 200 });
  });
});

stage.describe("a user's own pause", () => {
  test('stays theirs while it lasts: no mark, and theirs to end', async () => {
    await attach(server, namespace, 'their');
    await kubectl('rollout', 'pause', 'deployment/their');
    await kubectl('annotate', 'deployment/their', 'note=1');
    expect(await now('their')).toEqual({ paused: true, mark: undefined, attached: 'true', image: 'app:1' });
    await kubectl('set', 'image', 'deployment/their', 'app=app:2');
    expect(await now('their')).toEqual({ paused: true, mark: undefined, attached: 'true', image: 'app:2' });
  });

  test('that ends with a new template waiting becomes a hold: the template does not roll', async () => {
    await attach(server, namespace, 'over');
    await kubectl('rollout', 'pause', 'deployment/over');
    await kubectl('set', 'image', 'deployment/over', 'app=app:2');
    await kubectl('rollout', 'resume', 'deployment/over');
    expect(await now('over')).toEqual({ ...isHeld, image: 'app:2' });
  });
});

stage.describe('a Deployment that is not attached', () => {
  test('is none of our business', async () => {
    await server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest('free', 'app:1'));
    await kubectl('set', 'image', 'deployment/free', 'app=app:2');
    await kubectl('rollout', 'pause', 'deployment/free');
    await kubectl('rollout', 'resume', 'deployment/free');
    expect(await now('free')).toEqual({ paused: false, mark: undefined, attached: undefined, image: 'app:2' });
  });
});

stage.describe('whether the guard is there', () => {
  test('shows in a dry run by the probe, which stores nothing', async () => {
    await attach(server, namespace, 'probed');
    const path = `${deploymentPath(namespace, 'probed')}?dryRun=All`;
    const answer = await server.ask('PATCH', path, setImage('app:2'), { as: PROBE });
    expect(answer).toMatchObject({
      status: 200,
      body: { spec: { paused: true }, metadata: { annotations: { 'serin.dev/held': 'true' } } },
    });
    expect(await now('probed')).toEqual({ ...isFree, image: 'app:1' });
  });

  test('the probe can store nothing', async () => {
    await attach(server, namespace, 'safe');
    const answer = await server.ask('PATCH', deploymentPath(namespace, 'safe'), setImage('app:2'), { as: PROBE });
    expect(answer.status).toBe(403);
    expect(answer.body.message).toContain('may do this as a dry run only');
    expect((await now('safe')).image).toBe('app:1');
  });
});

stage.describe('the person who brings a template', () => {
  test('reads under their own command that it is held, and where to look', async () => {
    await attach(server, namespace, 'told');
    const { output } = await kubectl('set', 'image', 'deployment/told', 'app=app:2');
    expect(output).toContain('held by Serin: Deployment told starts this template only as its Rollout lets it.');
    expect(output).toContain(`kubectl get srn -n ${namespace}`);
  });

  test('reads that resuming changed nothing', async () => {
    await attach(server, namespace, 'told-again');
    await kubectl('set', 'image', 'deployment/told-again', 'app=app:2');
    const { output } = await kubectl('rollout', 'resume', 'deployment/told-again');
    expect(output).toContain('still held by Serin: Deployment told-again stays paused until its Rollout goes on.');
  });

  test('reads nothing where nothing is held', async () => {
    await attach(server, namespace, 'calm');
    expect((await kubectl('annotate', 'deployment/calm', 'note=1')).output).not.toContain('Serin');
    await kubectl('set', 'image', 'deployment/calm', 'app=app:2');
    expect((await kubectl('annotate', 'deployment/calm', 'note=2', '--overwrite')).output).not.toContain('Serin');
  });
});

function nameOf(way: string): string {
  return `d-${way
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .slice(0, 40)}`.replace(/-$/, '');
}

async function bySerin(name: string, patch: object): Promise<void> {
  const body = JSON.stringify(patch);
  const { code, output } = await kubectl('patch', `deployment/${name}`, '-p', body, `--as=${SERIN}`);
  if (code !== 0) throw new Error(output);
}

const deploymentsUpdated = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments'],
  operations: ['UPDATE'],
};

/** As a webhook that turns tags into digests would, for one Deployment. */
function digestOfFirstTag(deployment: unknown) {
  const { metadata, spec } = Object(deployment);
  if (metadata.name !== 'tagged') return [];
  const { image } = spec.template.spec.containers[0];
  const path = '/spec/template/spec/containers/0/image';
  return image === 'app:1' ? [{ op: 'replace', path, value: 'app@sha256:1' } as const] : [];
}

/** What the guard must not be: a policy that looks for a new template in its conditions. It marks what it sees. */
async function naivePolicy(act: 'create' | 'delete'): Promise<void> {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: `${namespace}-naive` };
  const expression = "[JSONPatch{op: 'add', path: '/metadata/annotations/naive', value: 'true'}]";
  const spec = {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: { objectSelector: { matchLabels: { mutated: 'true' } }, resourceRules: [deploymentsUpdated] },
    matchConditions: [{ name: 'new-template', expression: 'object.spec.template != oldObject.spec.template' }],
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
  };
  const policy = { apiVersion, kind: 'MutatingAdmissionPolicy', metadata, spec };
  const binding = { apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata, spec: { policyName: metadata.name } };
  for (const object of [policy, binding]) {
    const { code, output } = await server.kubectl([act, '-f', '-'], object);
    if (code !== 0) throw new Error(output);
  }
}
