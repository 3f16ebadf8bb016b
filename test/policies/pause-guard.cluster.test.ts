/**
 * The pause guard's policy by itself. Where serin-guard is in force it puts back what is taken off before this policy looks,
 * so the question is asked of Deployments that serin-guard does not see: their label says so, under another policy's name.
 */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { SERIN } from './api-server.ts';
import { deploymentPath, manifest } from './deployments.ts';
import { eventually } from './install.ts';
import { openStage } from './stage.ts';

const stage = openStage('pause');
const { server, namespace } = stage;
const kubectl = (...words: string[]) => server.kubectl([...words, '-n', namespace]);
/** A copy that looks at a label of this suite's own, which serin-guard does not know. */
const LABEL = `${namespace}/attached`;

beforeAll(async () => {
  const file = new URL('../../deploy/policies/pause-guard.yaml', import.meta.url);
  const text = readFileSync(file, 'utf8')
    .replaceAll('serin-pause-guard', `${namespace}-guard`)
    .replaceAll('serin.dev/attached', LABEL);
  for (const document of parseAllDocuments(text)) {
    const { code, output } = await server.kubectl(['apply', '-f', '-'], document.toJS());
    if (code !== 0) throw new Error(output);
  }
  await guarded('ready');
  const path = `${deploymentPath(namespace, 'ready')}?dryRun=All`;
  await eventually(
    'the policy to be in force',
    async () => (await server.ask('PATCH', path, { spec: { paused: null } })).status === 403,
  );
}, 60_000);

afterAll(async () => {
  for (const kind of ['validatingadmissionpolicybinding', 'validatingadmissionpolicy'])
    await server.kubectl(['delete', kind, `${namespace}-guard`]);
});

/** As Serin leaves an attached Deployment under the pause guard. */
async function guarded(name: string): Promise<void> {
  await server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest(name, 'app:1'));
  const metadata = { labels: { [LABEL]: 'true' }, annotations: { 'serin.dev/held': 'true' } };
  const path = deploymentPath(namespace, name);
  const answer = await server.ask('PATCH', path, { metadata, spec: { paused: true } }, { as: SERIN });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

stage.describe('a Deployment under the pause guard', () => {
  test.each<[string, (name: string) => Promise<{ code: number; output: string }>, string]>([
    [
      'kubectl rollout resume',
      (name) => kubectl('rollout', 'resume', `deployment/${name}`),
      'stays paused while its Rollout is attached',
    ],
    [
      'kubectl replace',
      (name) => server.kubectl(['replace', '-n', namespace, '-f', '-'], manifest(name, 'app:2')),
      'stays paused',
    ],
    [
      'taking the label off',
      (name) => kubectl('label', `deployment/${name}`, `${LABEL}-`),
      'use kubectl apply, or delete the Rollout first',
    ],
    ['taking the mark off', (name) => kubectl('annotate', `deployment/${name}`, 'serin.dev/held-'), 'leave it on'],
  ])('refuses %s with the sentence that says what to do instead', async (way, write, sentence) => {
    const name = `d-${way.replaceAll(/[^a-z]+/g, '-')}`;
    await guarded(name);
    const { code, output } = await write(name);
    expect(code).not.toBe(0);
    expect(output).toContain(sentence);
  });

  test('takes new templates, sizes and labels like any other', async () => {
    await guarded('open');
    expect((await server.kubectl(['apply', '-n', namespace, '-f', '-'], manifest('open', 'app:2'))).code).toBe(0);
    expect((await kubectl('scale', 'deployment/open', '--replicas=1')).code).toBe(0);
    expect((await kubectl('label', 'deployment/open', 'team=shop')).code).toBe(0);
  });

  test('is let go by breaking the glass, and by Serin', async () => {
    await guarded('glass');
    expect((await kubectl('label', 'deployment/glass', '--overwrite', `${LABEL}=released`)).code).toBe(0);
    expect((await kubectl('rollout', 'resume', 'deployment/glass')).code).toBe(0);
    await guarded('ours');
    const path = deploymentPath(namespace, 'ours');
    expect(await server.ask('PATCH', path, { spec: { paused: null } }, { as: SERIN })).toMatchObject({ status: 200 });
  });
});
