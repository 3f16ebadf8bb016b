/** The image that users run, built from the Dockerfile and run by a Docker engine against a real API server, as deploy/ runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUnavailable, notRun, openCluster } from '../cluster/cluster.ts';
import { openStage } from '../policies/stage.ts';
import { eventually } from '../policies/install.ts';
import { openEngine } from './local-engine.ts';

const cluster = await openCluster(['admission']);
const engine = isUnavailable(cluster) ? cluster : await openEngine();
const stage = openStage('image');
const { namespace, server } = stage;
const uid = '65532';
/** The packages are fetched and the program is built in it. */
const patienceMs = 600_000;

function onEngine(sentence: string, tests: () => void): void {
  if ('unavailable' in engine) describe.skip(notRun(sentence, engine.unavailable), tests);
  else stage.describe(sentence, tests);
}

onEngine('the image', () => {
  let docker: typeof import('./image.ts');
  let image: import('./image.ts').Images;
  let directory: string;
  let id: string;
  let port: number;

  beforeAll(async () => {
    if ('unavailable' in engine) throw new Error(engine.unavailable);
    process.env['DOCKER_HOST'] = engine.address;
    // Everything is taken away here; the library's own sweeper would be one more image to pull.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    // Inside a container the library would look for the engine's bridge; on the host's network all is here.
    process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
    docker = await import('./image.ts');
    directory = mkdtempSync(join(tmpdir(), 'serin-image-'));
    writeFileSync(join(directory, 'kubeconfig'), await operatorKubeconfig());
    image = await docker.buildImages(namespace);
    port = await freePort();
  }, patienceMs);

  afterAll(async () => {
    if (id !== undefined) await docker.remove(id);
    await image?.remove();
    if (!('unavailable' in engine)) await engine.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    await server.ask('DELETE', `/apis/coordination.k8s.io/v1/namespaces/serin-system/leases/${namespace}`);
  }, patienceMs);

  test(
    'prints its help when it is started without a word',
    async () => {
      const started = await docker.start(image.name, { command: [], says: /Usage: serin/ });
      await eventually('it to end', async () => !(await docker.inspect(started.getId())).State.Running);
      const { State: ended } = await docker.inspect(started.getId());
      await docker.remove(started.getId());
      expect(ended.ExitCode).toBe(0);
    },
    patienceMs,
  );

  test(
    'becomes ready as an operator, with the rights of its own identity',
    async () => {
      const command = ['operator', '--kubeconfig', '/kubeconfig', '--namespace', namespace, '--lease-name', namespace];
      const more = ['--guard', 'admission', '--metrics-address', `127.0.0.1:${port}`];
      const files = { '/kubeconfig': join(directory, 'kubeconfig') };
      const started = await docker.start(image.name, { command: [...command, ...more], files, says: /\{"level"/ });
      id = started.getId();
      await eventually('readiness', () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
      await eventually('it to hold the Lease', async () => (await holder()) !== '');
    },
    patienceMs,
  );

  test('is nobody, without capabilities, on a root that cannot be written', async () => {
    const { Config, State } = await docker.inspect(id);
    expect(Config.User).toBe(`${uid}:${uid}`);
    const status = readFileSync(`/proc/${State.Pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    const mounts = readFileSync(`/proc/${State.Pid}/mountinfo`, 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const [root] = mounts.filter(([, , , , where]) => where === '/');
    expect(root?.[5]?.split(',')).toContain('ro');
  });

  test('says which program it is', async () => {
    const { Config } = await docker.inspect(id);
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Serin',
      'org.opencontainers.image.version': JSON.parse(
        readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
      ).version,
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('serin_');
  });

  test(
    'ends with 0 on SIGTERM before it would be killed, and gives its Lease back',
    async () => {
      const { getContainerRuntimeClient } = await import('testcontainers');
      const { container } = await getContainerRuntimeClient();
      // Seconds until the engine sends SIGKILL, which would show as 137.
      await container.getById(id).stop({ t: 10 });
      const { State } = await docker.inspect(id);
      expect({ code: State.ExitCode, killed: State.OOMKilled, running: State.Running }).toEqual({
        code: 0,
        killed: false,
        running: false,
      });
      expect(await holder()).toBe('');
      expect(await docker.logOf(id)).not.toMatch(/"level":(50|60)/);
    },
    patienceMs,
  );
});

async function holder(): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/serin-system/leases/${namespace}`;
  const { status, body } = await server.ask('GET', path);
  return status === 200 ? (Object(body['spec']).holderIdentity ?? '') : '';
}

/** With a token of the operator's ServiceAccount; everybody may read the file, because the image runs as nobody. */
async function operatorKubeconfig(): Promise<string> {
  if (isUnavailable(cluster)) throw new Error(cluster.unavailable);
  const path = '/api/v1/namespaces/serin-system/serviceaccounts/serin/token';
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { body } = await server.ask('POST', path, request);
  const { token } = body['status'] as { token: string };
  const authority = Buffer.from(cluster.ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster.server, 'certificate-authority-data': authority } }],
    users: [{ name: 'serin', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'serin' } }],
    'current-context': 'x',
  });
}

/** It is free when it is asked for, and the next to ask gets another one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = Object(probe.address());
      probe.close(() => resolve(port));
    });
  });
}
