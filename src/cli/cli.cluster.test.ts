/** Every command as a process of its own against a real API server; the test writes the statuses, as Serin's own identity. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCluster, type TestCluster } from '../../test/cluster/cluster.ts';
import { SERIN } from '../../test/policies/api-server.ts';
import { rollout, serinPath } from '../../test/policies/rollouts.ts';
import { openStage } from '../../test/policies/stage.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { rejected, statuses } from './trial.ts';

const found = await openCluster();
const stage = openStage('cli', ['routes']);
const { namespace, server } = stage;
const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Each command is a process, and the machine may be busy. */
const patienceMs = 60_000;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

stage.describe('on a real API server', () => {
  const cluster = found as TestCluster;
  let directory: string;
  let asBob: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'serin-cli-'));
    asBob = join(directory, 'bob.kubeconfig');
    await writeFile(asBob, kubeconfigOf(cluster, cluster.tokens.bob ?? ''));
    await server.ask('POST', serinPath('rollouts', namespace), rollout('checkout'));
    await tell('checkout', statuses.judging);
  });

  const running = new Set<ChildProcess>();

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  function start(
    line: string,
    kubeconfig = cluster.kubeconfig,
  ): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
    const args = [program, ...line.split(' '), '-n', namespace, '--kubeconfig', kubeconfig];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    child.on('close', () => running.delete(child));
    const said = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
    return { child, ended };
  }

  const serin = (line: string, kubeconfig?: string): Promise<Ended> => start(line, kubeconfig).ended;

  test(
    'get shows what kubectl shows',
    async () => {
      const [ours, theirs] = await Promise.all([
        serin('get -o wide'),
        server.kubectl(['get', 'srn', '-n', namespace, '-o', 'wide']),
      ]);
      expect(ours).toMatchObject({ code: 0, err: '' });
      expect(withoutAge(ours.out)).toEqual(withoutAge(theirs.output));
    },
    patienceMs,
  );

  test(
    'get -o json is the object as the API server has it',
    async () => {
      const { out } = await serin('get checkout -o json');
      const { body } = await server.ask('GET', serinPath('rollouts', namespace, 'checkout'));
      expect(JSON.parse(out)).toMatchObject({
        spec: body['spec'],
        status: body['status'],
        metadata: { uid: body.metadata?.uid },
      });
    },
    patienceMs,
  );

  test(
    'explain tells the release under way',
    async () => {
      const { code, out } = await serin('explain checkout');
      expect(code).toBe(0);
      expect(out).toContain(statuses.judging.message);
      expect(out).toMatch(/canary +7f9c4d8b2x +shop\/checkout:1\.5\.0 +25%/);
    },
    patienceMs,
  );

  test(
    'plan finds what is missing in the cluster',
    async () => {
      const { code, out } = await serin('plan checkout');
      expect(code).toBe(4);
      expect(out).toContain('TargetMissing: Deployment checkout does not exist');
    },
    patienceMs,
  );

  test(
    'plan -f of a file names no cluster object as missing that the file brings',
    async () => {
      const file = join(directory, 'all.yaml');
      await writeFile(
        file,
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [rollout('fresh'), ...workload('fresh')] }),
      );
      const { code, out, err } = await serin(`plan -f ${file}`);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain('Nothing that can be seen from here stands in the way');
    },
    patienceMs,
  );

  test.each([
    'get',
    'watch',
    'explain',
    'plan',
    'pause',
    'resume',
    'abort',
    'retry',
    'promote',
    'skip',
    'restore-flags',
  ])(
    '%s of a Rollout that does not exist is exit code 6 and one line',
    async (command) => {
      const { code, err, out } = await serin(`${command} chekout`);
      expect({ code, out }).toEqual({ code: 6, out: '' });
      expect(err).toMatch(/^Error from server \(NotFound\): rollouts\.serin\.dev "chekout" not found; .*\n$/);
    },
    patienceMs,
  );

  stage.describe('of somebody without rights', () => {
    test.each(['get', 'get checkout', 'watch checkout', 'explain checkout', 'plan checkout', 'abort checkout'])(
      'somebody without rights is told so by the API server, with exit code 6: %s',
      async (line) => {
        const { code, err, out } = await serin(line, asBob);
        expect({ code, out }).toEqual({ code: 6, out: '' });
        expect(err).toMatch(/^Error from server \(Forbidden\): .*bob.*cannot (get|list) resource.*\n$/);
      },
      patienceMs,
    );
  }, ['people']);

  stage.testWith(
    ['people'],
    'an act is stamped with the name of who asked, and its answer comes back',
    async () => {
      const { ended } = start('abort checkout --reason trial');
      const act = await answered('abort', { state: 'Accepted', message: 'Revision 7f9c4d8b2x goes back.' });
      expect(act).toMatchObject({
        spec: { rollout: 'checkout', action: 'abort', revision: '7f9c4d8b2x', reason: 'trial', by: 'admin' },
      });
      expect(await ended).toEqual({ code: 0, out: 'abort accepted: Revision 7f9c4d8b2x goes back.\n', err: '' });
    },
    patienceMs,
  );

  test(
    'an act that Serin refuses is exit code 4',
    async () => {
      const { ended } = start('promote checkout');
      await answered('promote', { state: 'Refused', message: 'The brake is on.' });
      expect(await ended).toEqual({ code: 4, out: '', err: 'promote refused: The brake is on.\n' });
    },
    patienceMs,
  );

  test(
    'an act without an operator times out with 5 and stays',
    async () => {
      const { code, err } = await serin('pause checkout --timeout 1s');
      expect(code).toBe(5);
      expect(err).toContain('is answered when the operator runs');
    },
    patienceMs,
  );

  test(
    'watch follows a release to its rollback',
    async () => {
      await server.ask('POST', serinPath('rollouts', namespace), rollout('watched'));
      await tell('watched', statuses.judging);
      const { child, ended } = start('watch watched --exit-status --timeout 60s');
      await printed(child);
      await tell('watched', { ...statuses.judging, phase: 'RollingBack', reason: 'Errors', verdict: 'Errors' });
      await tell('watched', { ...statuses.rolledBack, quarantined: [rejected] });
      const { code, out, err } = await ended;
      expect({ code, err }).toEqual({
        code: 3,
        err: expect.stringContaining('rolled back: Revision 7f9c4d8b2x was rejected'),
      });
      expect(out.trimEnd().split('\n')[0]).toMatch(/ {2}Progressing {2}Judging {2}25% {2}Step 2 of 4/);
      expect(out.trimEnd().split('\n').at(-1)).toMatch(/ {2}RolledBack {2}RolledBack {2}/);
    },
    patienceMs,
  );

  test(
    'watch compares live templates: 0 only when the stable one stands in the Deployment',
    async () => {
      await server.ask('POST', serinPath('rollouts', namespace), rollout('compared'));
      for (const object of workload('compared').slice(0, 1))
        await server.ask('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, object);
      const stable = await replicaSetOf('compared');
      await tell('compared', { ...statuses.idle, stable: { ...statuses.idle.stable, uid: stable } });
      expect((await serin('watch compared --exit-status --timeout 30s')).code).toBe(0);
      const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/compared`;
      await server.ask('PATCH', deployment, { spec: { template: { metadata: { labels: { version: 'next' } } } } });
      expect((await serin('watch compared --exit-status --timeout 8s')).code).toBe(5);
    },
    patienceMs,
  );

  test(
    'a Rollout that is deleted while it is watched ends the watch with 6',
    async () => {
      await server.ask('POST', serinPath('rollouts', namespace), rollout('gone'));
      const { child, ended } = start('watch gone');
      await printed(child);
      await server.ask('DELETE', serinPath('rollouts', namespace, 'gone'));
      expect(await ended).toMatchObject({ code: 6, err: expect.stringContaining('rollout gone was deleted') });
    },
    patienceMs,
  );
});

async function tell(name: string, status: RolloutStatus): Promise<void> {
  const path = `${serinPath('rollouts', namespace, name)}/status`;
  // A merge: what the story before said and this one does not is taken away by null.
  const { status: code, body } = await server.ask(
    'PATCH',
    path,
    { status: { canary: null, step: null, quarantined: null, verdict: null, ...status } },
    { as: SERIN },
  );
  if (code !== 200) throw new Error(`status of ${name} was refused: ${body.message}`);
}

/** Answers the first act of this kind that has no answer, as the operator would. */
async function answered(kind: string, answer: { readonly state: string; readonly message: string }): Promise<unknown> {
  const act = await eventually(async () => {
    const { body } = await server.ask('GET', serinPath('rolloutactions', namespace));
    const items = body['items'] as { metadata: { name: string }; spec: { action: string }; status?: unknown }[];
    return items.find((item) => item.spec.action === kind && item.status === undefined);
  });
  const path = `${serinPath('rolloutactions', namespace, act.metadata.name)}/status`;
  await server.ask('PATCH', path, { status: { ...answer, at: '2026-11-24T12:00:00Z' } }, { as: SERIN });
  return act;
}

async function replicaSetOf(name: string): Promise<string> {
  return eventually(async () => {
    const { body } = await server.ask(
      'GET',
      `/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=app%3D${name}`,
    );
    return (body['items'] as { metadata: { uid: string } }[])[0]?.metadata.uid;
  });
}

/** kubectl prints weights without their percent sign. */
function withoutAge(table: string): string[] {
  const words = table.replaceAll('%', '').trim().split(/\s+/);
  return words.filter((word) => !/^\d+[smhd]/.test(word));
}

function workload(name: string): object[] {
  const labels = { app: name };
  const container = { name: 'app', image: 'serin.test/workload:v1', imagePullPolicy: 'Never' };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports: [{ port: 80 }] } },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name },
      spec: { rules: [{ backendRefs: [{ name, port: 80 }] }] },
    },
  ];
}

function kubeconfigOf({ server: address, ca }: TestCluster, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: address, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

function printed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout?.once('data', () => resolve()));
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('waited 10 s in vain');
}
