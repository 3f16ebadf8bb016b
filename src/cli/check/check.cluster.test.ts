/** `serin check` on a real API server: a workload with seeded faults, as the admin and as somebody who may only look. */
import { isUnavailable, openCluster } from '../../../test/cluster/cluster.ts';
import { rollout, serinPath } from '../../../test/policies/rollouts.ts';
import { openStage } from '../../../test/policies/stage.ts';
import { systemClock } from '../../kube/clock.ts';
import { openSession } from '../open-session.ts';
import { run } from '../program.ts';
import type { Finding } from './finding.ts';

const found = await openCluster();
const stage = openStage('check', ['routes']);
const { namespace, server } = stage;
const patienceMs = 60_000;

interface Checked {
  readonly code: number;
  readonly findings: readonly Finding[];
}

async function checked(...args: readonly string[]): Promise<Checked> {
  if (isUnavailable(found)) throw new Error(found.unavailable);
  const said = { out: '', err: '' };
  const code = await run(['check', ...args, '-n', namespace, '--kubeconfig', found.kubeconfig, '-o', 'json'], {
    terminal: {
      isInteractive: false,
      columns: 80,
      hasColour: false,
      print: (text) => void (said.out += text),
      complain: (text) => void (said.err += text),
      draw: (text) => void (said.out += text),
    },
    clock: systemClock,
    random: Math.random,
    programName: 'serin',
    open: async (options) => openSession(options, systemClock, 'test'),
    readText: () => Promise.reject(new Error('no files here')),
  });
  expect(said.err).toBe('');
  const { findings }: { findings: readonly Finding[] } = JSON.parse(said.out);
  return { code, findings };
}

const failing = ({ findings }: Checked): string[] =>
  findings
    .filter(({ mark, area }) => mark === 'fail' && (area === 'workload' || area === 'traffic'))
    .map(({ message }) => message);

const apps = `/apis/apps/v1/namespaces/${namespace}`;
const gateway = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}`;
const core = `/api/v1/namespaces/${namespace}`;

async function deploy(name: string, spec: object = {}): Promise<void> {
  const labels = { app: name };
  const container = { name: 'app', image: 'serin.test/workload:v1', imagePullPolicy: 'Never' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const body = { metadata: { name }, spec: { replicas: 0, selector: { matchLabels: labels }, template, ...spec } };
  await posted(`${apps}/deployments`, body);
}

async function expose(name: string, spec: object = { selector: { app: name } }): Promise<void> {
  await posted(`${core}/services`, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
}

async function route(name: string, service = name): Promise<void> {
  await posted(`${gateway}/httproutes`, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: { rules: [{ backendRefs: [{ name: service, port: 80 }] }] },
  });
}

async function posted(path: string, body: object): Promise<void> {
  const { status, body: answer } = await server.ask('POST', path, body);
  if (status >= 300) throw new Error(`${path} was refused: ${answer.message}`);
}

stage.describe('check on a real API server', () => {
  test(
    'it sees a cluster with Serin installed, and rights',
    async () => {
      const { findings } = await checked();
      expect(findings.filter(({ area, mark }) => area === 'cluster' && mark !== 'ok')).toEqual([]);
      expect(findings.filter(({ area, mark }) => area === 'rights' && mark !== 'ok')).toEqual([]);
    },
    patienceMs,
  );

  test(
    'a new template is held and pods are admitted, as dry runs of the person say',
    async () => {
      await deploy('fine');
      await expose('fine');
      await route('fine');
      const answer = await checked('--target', 'deployment/fine');
      expect(answer.findings.map(({ message }) => message)).toEqual(
        expect.arrayContaining([
          'A dry run of a new template for Deployment fine came back held.',
          'Quotas and policies would admit the first pods of a new version.',
        ]),
      );
      const { body } = await server.ask('GET', `${apps}/deployments/fine`);
      expect(body.metadata?.labels?.['serin.dev/attached']).toBeUndefined();
    },
    patienceMs,
  );

  test(
    'five faults of one workload are five sentences, in one run',
    async () => {
      await deploy('broken', { revisionHistoryLimit: 0 });
      await expose('broken', { type: 'ExternalName', externalName: 'broken.example' });
      await expose('broken-canary', { selector: { app: 'other' } });
      await route('broken', 'elsewhere');
      await posted(`${core}/resourcequotas`, { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } });
      await posted(serinPath('rollouts', namespace), rollout('broken'));
      // The quota counts only once its controller has seen it.
      const answer = await eventually(async () => {
        const now = await checked('broken');
        return failing(now).some((message) => message.includes('none')) ? now : undefined;
      });
      expect(answer.code).toBe(4);
      for (const words of [
        /revisionHistoryLimit 0/,
        /Service broken is of type ExternalName/,
        /No rule of HTTPRoute broken has a backend that names Service broken/,
        /Service broken-canary exists and is not Serin's/,
        /A canary of broken would be refused \(.*none/,
      ])
        expect(failing(answer).filter((message) => words.test(message))).toHaveLength(1);
      await server.ask('DELETE', `${core}/resourcequotas/none`);
    },
    patienceMs,
  );

  test(
    'what is not there is said to be missing',
    async () => {
      await posted(serinPath('rollouts', namespace), rollout('absent'));
      expect(failing(await checked('absent'))).toEqual([
        `Deployment absent does not exist in ${namespace}; create it or correct targetRef.name.`,
      ]);
      await deploy('absent');
      expect(failing(await checked('absent')).join('\n')).toMatch(
        /Service absent .* does not exist.*\n.*HTTPRoute absent .* does not exist/,
      );
    },
    patienceMs,
  );

  test(
    'a Recreate strategy and another tool are found',
    async () => {
      await deploy('old', { strategy: { type: 'Recreate' } });
      await expose('old');
      expect(failing(await checked('--target', 'old')).join('\n')).toContain('has strategy Recreate');
      await server.ask('PATCH', `${apps}/deployments/old`, {
        metadata: { annotations: { 'rollout.argoproj.io/revision': '2' } },
      });
      expect(failing(await checked('--target', 'old')).join('\n')).toContain('is held by Argo Rollouts');
    },
    patienceMs,
  );
});

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 60; tries++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await systemClock.sleep(500);
  }
  throw new Error('waited 30 s in vain');
}
