import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { SERIN } from './api-server.ts';
import { attach, deploymentPath, held, manifest } from './deployments.ts';
import { eventually } from './install.ts';
import { rollout, serinPath } from './rollouts.ts';
import { openStage } from './stage.ts';

const stage = openStage('attach');
const { server, namespace } = stage;
const now = (name: string) => held(server, namespace, name);

/** Parameters of a policy reach it by a watch, a moment after they were stored. */
async function createRollout(name: string): Promise<void> {
  await server.ask('POST', serinPath('rollouts', namespace), rollout(name));
  await eventually(`the policy to know Rollout ${name}`, async () => {
    const { body } = await server.ask('POST', `${deploymentPath(namespace)}?dryRun=All`, manifest(name, 'app:1'));
    return body.metadata?.labels?.['serin.dev/attached'] === 'true' || body.kind === 'Status';
  });
}

stage.describe('a Deployment that a Rollout names', () => {
  test('is attached from its first moment on', async () => {
    await createRollout('named');
    await server.ask('POST', deploymentPath(namespace), manifest('named', 'app:1'));
    expect(await now('named')).toEqual({ paused: false, mark: undefined, attached: 'true', image: 'app:1' });
  });

  test('comes back attached from kubectl replace --force, which deletes and creates it', async () => {
    await createRollout('forced');
    await attach(server, namespace, 'forced');
    const before = await server.ask('GET', deploymentPath(namespace, 'forced'));
    const words = ['replace', '--force', '-n', namespace, '-f', '-'];
    expect((await server.kubectl(words, manifest('forced', 'app:2'))).code).toBe(0);
    const after = await server.ask('GET', deploymentPath(namespace, 'forced'));
    expect(after.body.metadata?.uid).not.toBe(before.body.metadata?.uid);
    expect(await now('forced')).toMatchObject({ attached: 'true', image: 'app:2' });
    await server.kubectl(['set', 'image', 'deployment/forced', 'app=app:3', '-n', namespace]);
    expect(await now('forced')).toMatchObject({ paused: true, mark: 'true' });
  });

  test('keeps the labels it comes with, and a broken glass stays broken', async () => {
    await createRollout('labelled');
    const labels = { team: 'shop', 'serin.dev/attached': 'released' };
    const created = await server.ask('POST', deploymentPath(namespace), {
      ...manifest('labelled', 'app:1'),
      metadata: { name: 'labelled', labels },
    });
    expect(created.body.metadata?.labels).toEqual(labels);
  });
});

stage.describe('a Deployment that no Rollout names', () => {
  test('is created as it was written', async () => {
    await createRollout('someone');
    const { body } = await server.ask('POST', deploymentPath(namespace), manifest('other', 'app:1'));
    expect(body.metadata?.labels).toBeUndefined();
  });

  test('is created as it was written when its Rollout is being deleted', async () => {
    await createRollout('leaving');
    const path = serinPath('rollouts', namespace, 'leaving');
    await server.ask('PATCH', path, { metadata: { finalizers: ['serin.dev/detach'] } }, { as: SERIN });
    await server.ask('DELETE', path);
    await eventually('the policy to know that the Rollout leaves', async () => {
      const { body } = await server.ask(
        'POST',
        `${deploymentPath(namespace)}?dryRun=All`,
        manifest('leaving', 'app:1'),
      );
      return body.metadata?.labels === undefined;
    });
    await server.ask('PATCH', path, { metadata: { finalizers: null } }, { as: SERIN });
  });
});

stage.describe('a cluster from which the Rollout kind was removed', () => {
  test('still creates Deployments; a policy that insists on its parameters would refuse them all', async () => {
    const shipped = await withoutRollouts('ignore', {});
    const insisting = await withoutRollouts('fail', { failurePolicy: 'Fail' });
    for (const object of [...shipped, ...insisting]) await write('create', object);
    try {
      await eventually('the insisting policy to be in force', async () => (await createPlain()).status !== 201);
      for (const object of insisting) await write('delete', object);
      await eventually('the shipped policy to be alone', async () => (await createPlain()).status === 201);
      expect((await createPlain()).status).toBe(201);
    } finally {
      for (const object of [...shipped, ...insisting]) await write('delete', object);
    }
  }, 60_000);
});

function createPlain() {
  return server.ask('POST', `${deploymentPath(namespace)}?dryRun=All`, manifest('plain', 'app:1'));
}

function write(act: 'create' | 'delete', object: object) {
  return server.kubectl([act, '-f', '-', ...(act === 'delete' ? ['--ignore-not-found'] : [])], object);
}

/** The shipped policy and binding under another name, for this namespace, with parameters of a kind that does not exist. */
async function withoutRollouts(suffix: string, spec: object): Promise<object[]> {
  const text = await readFile(new URL('../../deploy/policies/attach.yaml', import.meta.url), 'utf8');
  const name = `${namespace}-${suffix}`;
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return parseAllDocuments(text).map((document) => {
    const object = Object(document.toJS());
    if (object.kind !== 'MutatingAdmissionPolicy') {
      return { ...object, metadata: { name }, spec: { ...object.spec, policyName: name } };
    }
    const paramKind = { ...object.spec.paramKind, kind: 'Removed' };
    const matchConstraints = { ...object.spec.matchConstraints, namespaceSelector };
    return { ...object, metadata: { name }, spec: { ...object.spec, ...spec, paramKind, matchConstraints } };
  });
}
