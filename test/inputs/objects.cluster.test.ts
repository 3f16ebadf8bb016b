// Objects that cannot work, on a real API server with the real operator: each gets one sentence that says what to change, the
// workload stays as it was, and Serin attaches by itself when the world is right.
import { PHASES } from '../../src/api/reasons.ts';
import { JOURNAL_VERSION } from '../../src/api/rollout-status.ts';
import { SERIN, pathTo } from '../policies/api-server.ts';
import { type RunningOperator, startOperator } from '../policies/operator.ts';
import { openStage } from '../policies/stage.ts';
import { objectFaults } from './object-faults.ts';
import { matches } from './table.ts';
import {
  Cluster,
  type Fields,
  type KubeObject,
  type Shown,
  deploymentOf,
  rolloutOf,
  routeOf,
  serviceOf,
  within,
} from './world.ts';
import { writtenFaults } from './written-faults.ts';

const stage = openStage('inputs');
const { namespace, server } = stage;
const cluster = new Cluster(server, namespace);
const faults = objectFaults.map((fault, at) => ({ ...fault, name: `checkout-${String.fromCharCode(97 + at)}` }));

const isStalled = ({ status }: Shown): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') === true;
const seen = (rollout: Shown | undefined): string => JSON.stringify(rollout?.status ?? {}).slice(0, 600);

/** As the table has it. */
const shown = (text: string): string =>
  text.replaceAll(namespace, 'shop').replaceAll(/checkout-[a-z](?=\b|-other)/g, 'checkout');

/** The specs of everything that is the user's own. */
async function specsOf(name: string): Promise<readonly (Fields | undefined)[]> {
  const objects = [deploymentOf(name), serviceOf(name), routeOf(name)];
  return Promise.all(objects.map(async (object) => (await cluster.get(object))?.spec));
}

async function stalled(rollout: KubeObject, reason: string): Promise<Shown> {
  return within(60, `${rollout.metadata.name} to be stalled by ${reason}`, async () => {
    const now = await cluster.get(rollout);
    return now?.status?.reason === reason && isStalled(now) ? { found: now, seen: '' } : { seen: seen(now) };
  });
}

async function idle(rollout: KubeObject): Promise<void> {
  // A refused rehearsal is asked about again after a minute.
  await within(100, `${rollout.metadata.name} to be idle`, async () => {
    const now = await cluster.get(rollout);
    return now?.status?.phase === 'Idle' && !isStalled(now) ? { found: now, seen: '' } : { seen: seen(now) };
  });
}

stage.describe('what the API server refuses', () => {
  test.each(writtenFaults)('$input', async ({ object, words }) => {
    expect((await cluster.refusalOf(object)).replaceAll(/\s+/g, ' ')).toEqual(matches(`…${words}…`));
  });
});

stage.describe('what only the cluster can know', () => {
  let operator: RunningOperator;
  const before = new Map<string, Awaited<ReturnType<typeof specsOf>>>();

  beforeAll(async () => {
    const second = faults.find(({ input }) => input.startsWith('a second Rollout'));
    const objects = faults.flatMap(({ name, world }) => world(name));
    // The one that was there first holds the Deployment, and creation has seconds.
    const isLater = ({ kind, metadata }: KubeObject) => kind === 'Rollout' && metadata.name === second?.name;
    await cluster.apply(...objects.filter((object) => !isLater(object)));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await cluster.apply(...objects.filter(isLater));
    await ownByConfigMap();
    for (const { name } of faults) before.set(name, await specsOf(name));
    operator = await startOperator(stage);
  }, 120_000);
  afterAll(async () => {
    await deleteRollouts();
    await operator.stop();
    await operator.forget();
  }, 120_000);

  test.each(faults)('$input: $reason', async ({ name, reason, sentence }) => {
    const { status } = await stalled(rolloutOf(name), reason);
    expect(shown(status?.message ?? '')).toEqual(matches(sentence));
    expect(await specsOf(name)).toEqual(before.get(name));
  });

  test.each(faults)('$input: heals by itself ($cure)', async ({ name, heal }) => {
    await heal(cluster, name);
    await idle(rolloutOf(name));
  });

  test('no object was written to before its fault was gone', async () => {
    expect(operator.lines.filter((line) => line.startsWith('error: '))).toEqual([]);
    expect(await operator.isWell()).toBe(true);
  });

  test('a Deployment without replicas is attached, and a new template waits until it has some', async () => {
    const [name] = faults.map((fault) => fault.name);
    if (name === undefined) throw new Error('no fault');
    await cluster.patch(deploymentOf(name), { spec: { template: { metadata: { annotations: { at: 'v2' } } } } });
    const message = await within(30, 'the new template to wait', async () => {
      const now = await cluster.get(rolloutOf(name));
      return now?.status?.reason === 'ScaledToZero'
        ? { found: now.status.message ?? '', seen: '' }
        : { seen: seen(now) };
    });
    expect(shown(message)).toBe('Deployment checkout has 0 replicas; the new template is released when it has some.');
  });

  describe('objects that somebody poisoned', () => {
    const newer = 'poisoned-by-newer';
    const mad = 'poisoned-by-hand';

    beforeAll(async () => {
      await cluster.apply(deploymentOf(newer), deploymentOf(mad, { replicas: 1 }));
      for (const name of [newer, mad]) await cluster.apply(serviceOf(name), routeOf(name), rolloutOf(name));
      for (const name of [newer, mad]) await idle(rolloutOf(name));
    }, 90_000);

    test('a status of a newer Serin is left alone, with a sentence', async () => {
      await poison(newer, { journal: { version: 99, attempts: 1, handledActions: [] } });
      const { status } = await stalled(rolloutOf(newer), 'NewerJournal');
      expect(status?.message).toBe(
        `A newer Serin wrote the status of this Rollout (journal 99, this one knows ${JOURNAL_VERSION}); install that version again, nothing moves until then.`,
      );
    });

    test('a status full of nonsense stops nobody else, and ends in something that a person can read', async () => {
      const specs = await specsOf(mad);
      await poison(mad, nonsenseAbout((await cluster.get(deploymentOf(mad)))?.metadata.uid ?? ''));
      const status = await within(90, 'the attempt that never was to end', async () => {
        const now = (await cluster.get(rolloutOf(mad)))?.status;
        const isOver = now?.journal?.attempt === undefined && now?.phase !== 'Dancing';
        return isOver ? { found: now, seen: '' } : { seen: JSON.stringify(now).slice(0, 1500) };
      });
      expect(Object.keys(PHASES)).toContain(status?.phase);
      expect(status?.message).toMatch(/^\w.*\.$/);
      await within(30, 'everything to be as it was', async () => {
        const now = JSON.stringify(await specsOf(mad));
        return now === JSON.stringify(specs) ? { found: true, seen: '' } : { seen: now };
      });
      expect(await operator.isWell()).toBe(true);
    });

    test('a Rollout beside them is still looked after', async () => {
      const name = 'healthy';
      await cluster.apply(deploymentOf(name), serviceOf(name), rolloutOf(name));
      await stalled(rolloutOf(name), 'RouteMissing');
      await cluster.apply(routeOf(name));
      await idle(rolloutOf(name));
    });
  });

  /** The owner must exist, or the garbage collector takes the Deployment. */
  async function ownByConfigMap(): Promise<void> {
    const owned = faults.find(({ input }) => input.includes('another controller owns'));
    const { body } = await server.ask('GET', pathTo('v1', 'configmaps', namespace, 'platform-app'));
    const owner = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'platform-app',
      uid: body.metadata?.uid ?? '',
      controller: true,
    };
    await cluster.patch(deploymentOf(owned?.name ?? ''), { metadata: { ownerReferences: [owner] } });
  }

  /** As Serin's own identity: nobody else may write a status. */
  async function poison(name: string, status: object): Promise<void> {
    const path = `${pathTo('serin.dev/v1alpha1', 'rollouts', namespace, name)}/status`;
    const answer = await server.ask('PATCH', path, { status }, { as: SERIN });
    if (answer.status !== 200) throw new Error(`the status was not taken: ${answer.body.message}`);
  }

  /** While the operator runs, so that no finalizer is left. */
  async function deleteRollouts(): Promise<void> {
    const names = [...faults.map(({ name }) => name), 'poisoned-by-hand', 'poisoned-by-newer', 'healthy'];
    await poison('poisoned-by-newer', { journal: null }).catch(() => undefined);
    await server.kubectl(['delete', 'rollouts', '-n', namespace, '--ignore-not-found', '--timeout=90s', ...names]);
  }
}, ['gateway']);

/** All that the schema lets through, and nothing of it true but the Deployment's UID: else it would be dropped at once. */
const nonsenseAbout = (targetUid: string): object => ({
  phase: 'Dancing',
  reason: 'Nonsense',
  message: 'nonsense',
  verdict: 'Perhaps',
  stable: { uid: 'nobody', name: 'nobody', hash: 'nobody', image: 'nobody', since: 'yesterday' },
  quarantined: [{ hash: 'x', reason: 'x', message: 'x', at: 'x', record: 'x' }],
  evidence: { version: 2, key: 'somebody/else', settings: [], judge: 'yes', metrics: 7, readers: [] },
  conditions: [],
  journal: {
    version: 1,
    attempts: -5,
    targetUid,
    handledActions: ['none'],
    attempt: {
      number: -1,
      hash: 'nobody',
      image: '',
      record: 'nobody',
      replicaSet: 'nobody',
      replicaSetUid: 'nobody',
      targetUid,
      spec: {
        target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'poisoned-by-hand' },
        traffic: { service: 'nobody', routes: [], alsoReachable: [], drainMs: 0 },
        strategy: { steps: [], bakeMs: 0, podsReadyWithinMs: 0, allowTwoVersions: false },
        analysis: {
          confidencePercent: 0,
          errors: { tolerate: 'everything', ruleOut: 'nothing' },
          whenUnsure: { afterMs: 0, do: 'proceed' },
          onSourceDown: { afterMs: 0, do: 'rollback' },
        },
      },
      parents: ['nobody'],
      // The last moment that a date can say, nearly.
      beganAtMs: 8e15,
      stage: 'step',
      stageSinceMs: -1,
      step: 99_999,
      weightPercent: 1e9,
      weightSinceMs: 8e15,
      noSource: false,
      brake: { sinceMs: -1, weightPercent: -7, message: 'x', crash: true },
    },
  },
});
