/** The life of a canary on a real API server under the real Deployment controller: ignored, adopted, never made twice. */
import { openStage } from '../../test/policies/stage.ts';
import { releaseRecordKind } from '../api/kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { deployments, pods, replicaSets } from '../kube/resources.ts';
import type { DeploymentView, ReplicaSetView } from '../release/world.ts';
import { again, anchorOf, clientAsSerin, endAll, eventually, workload } from './as-serin.ts';
import { clearMarks, createCanary, deleteReplicaSet, handOver, hasLeftMarks, scaleReplicaSet } from './canary.ts';
import { viewDeployment } from './deployment.ts';
import { ROLLOUT_UID } from './fixtures.ts';
import { proveGuard } from './guard.ts';
import { attach, detach, hold, resume, setMaxSurge } from './hold.ts';
import type { Deployment, Pod, ReleaseRecord, ReplicaSet } from './objects.ts';
import { endRecord } from './record.ts';
import { rehearse } from './rehearsal.ts';
import { viewReplicaSets } from './replica-sets.ts';
import { canaryName } from '../release/stages/start.ts';
import { hashOf } from './revision.ts';

const stage = openStage('adoption');
const { namespace, server } = stage;
const rollout = { name: 'checkout', uid: ROLLOUT_UID };

/** As its user applies it: by kubectl. */
async function apply(name: string, version: string, change: object = {}): Promise<void> {
  const { code, output } = await server.kubectl(['apply', '-n', namespace, '-f', '-'], workload(name, version, change));
  if (code !== 0) throw new Error(output);
}

const uidsOf = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.uid).toSorted();

/** For each test: a machine that is busy with other suites takes its time. */
const patienceMs = 180_000;

stage.describe('a release by adoption', () => {
  let client: KubeClient;

  beforeAll(async () => {
    client = await clientAsSerin(server);
  }, patienceMs);
  afterAll(async () => {
    await endAll(client, namespace);
    await client.transport.close();
  }, patienceMs);

  const live = (name: string) => client.get<Deployment>(deployments, { namespace, name });
  const view = async (name: string): Promise<DeploymentView> => viewDeployment(await live(name), []);

  async function setsOf(name: string): Promise<ReplicaSetView[]> {
    const all = await client.list<ReplicaSet>(replicaSets, { namespace });
    const seen = await client.list<Pod>(pods, { namespace });
    return viewReplicaSets({
      deployment: await live(name),
      replicaSets: all.items,
      pods: seen.items,
      rolloutUid: rollout.uid,
    }).filter((set) => set.name.startsWith(`${name}-`));
  }

  async function podsOf(name: string): Promise<string[]> {
    const { items } = await client.list<Pod>(pods, { namespace, labelSelector: `app=${name}` });
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.uid);
  }

  const settled = (name: string) =>
    eventually(`Deployment ${name} to settle`, async () => {
      const seen = await view(name);
      const isDone =
        seen.progressing?.reason === 'NewReplicaSetAvailable' && seen.observedGeneration >= seen.generation;
      return isDone && seen.availableReplicas === seen.replicas ? seen : undefined;
    });

  /** An attached Deployment whose new template is held, and its canary. */
  async function canaryOf(
    name: string,
    replicas = 2,
  ): Promise<{ record: ReleaseRecord; canary: ReplicaSet; hash: string }> {
    await apply(name, 'v1');
    await settled(name);
    await again(async () => attach(client, await live(name)));
    await apply(name, 'v2');
    const deployment = await live(name);
    const hash = hashOf(deployment.spec.template);
    const record = await anchorOf(client, namespace, name, hash);
    const made = await createCanary(client, {
      deployment,
      record: record.metadata,
      rolloutUid: rollout.uid,
      attempt: 1,
      name: canaryName(name, hash),
      hash,
      replicas,
    });
    if (made.kind !== 'made') throw new Error(made.message);
    return { record, canary: made.object, hash };
  }

  const ready = (name: string, hash: string, count: number) =>
    eventually(`${count} ready pods of ${hash}`, async () => {
      const set = (await setsOf(name)).find((one) => one.hash === hash);
      return set?.available === count && set.current ? set : undefined;
    });

  const canaryNow = (canary: ReplicaSet) => client.get<ReplicaSet>(replicaSets, canary.metadata);

  test(
    'attaching restarts nothing, proves the guard and rehearses the canary',
    async () => {
      await apply('attach', 'v1');
      await settled('attach');
      const before = await podsOf('attach');
      await again(async () => attach(client, await live('attach')));
      expect(await proveGuard(client, await live('attach'))).toBe('proven');
      expect(await rehearse(client, await live('attach'), 2)).toEqual({});
      expect(await podsOf('attach')).toEqual(before);
      expect(await view('attach')).toMatchObject({ attached: 'yes', paused: false, held: false });
    },
    patienceMs,
  );

  test(
    'the guard is proved for a Deployment before it carries the label, and the question changes nothing',
    async () => {
      await apply('unlabelled', 'v1', { replicas: 0 });
      expect(await proveGuard(client, await live('unlabelled'))).toBe('proven');
      expect(await view('unlabelled')).toMatchObject({ attached: 'no', paused: false });
    },
    patienceMs,
  );

  test(
    'the controller ignores the canary while it is the anchor’s, then adopts it: no pod is made twice',
    async () => {
      const { record, canary, hash } = await canaryOf('checkout');
      await ready('checkout', hash, 2);
      const held = await view('checkout');
      expect(held).toMatchObject({ paused: true, held: true, liveHash: hash });
      const stable = (await setsOf('checkout')).find((set) => set.owner === 'deployment');
      expect(await setsOf('checkout')).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            hash,
            owner: 'ours',
            carriesOurMark: true,
            attempt: 1,
            ready: 2,
            sameAsLive: true,
          }),
          expect.objectContaining({ uid: stable?.uid, replicas: 2, ready: 2, sameAsLive: false }),
        ]),
      );
      const podsBefore = (await client.list<Pod>(pods, { namespace, labelSelector: `pod-template-hash=${hash}` }))
        .items;

      await again(async () => setMaxSurge(client, await live('checkout'), '100%', held.maxSurge));
      await eventually('the controller to have seen maxSurge', async () => {
        const seen = await view('checkout');
        return seen.observedGeneration >= seen.generation ? seen : undefined;
      });
      await again(async () => handOver(client, await canaryNow(canary), 2));
      await eventually('adoption', async () => {
        const [adopted, old] = [canary.metadata.uid, stable?.uid].map(
          (
            (sets) => (uid) =>
              sets.find((set) => set.uid === uid)
          )(await setsOf('checkout')),
        );
        const isDone =
          adopted?.owner === 'deployment' && adopted.available === 2 && old?.replicas === 0 && old.pods === 0;
        return isDone ? adopted : undefined;
      });
      await again(async () => setMaxSurge(client, await live('checkout'), held.maxSurge));
      await again(async () => resume(client, await live('checkout')));
      const done = await settled('checkout');

      expect(done.maxSurgeBefore).toBeUndefined();
      expect(done).toMatchObject({ paused: false, held: false, attached: 'yes', maxSurge: held.maxSurge });
      const after = (await client.list<Pod>(pods, { namespace, labelSelector: `pod-template-hash=${hash}` })).items;
      expect(uidsOf(after)).toEqual(uidsOf(podsBefore));
      await eventually(
        'marks that the controller copied to be found',
        async () => hasLeftMarks(await canaryNow(canary)) || undefined,
      );
      await again(async () => clearMarks(client, await canaryNow(canary)));
      const adopted = await canaryNow(canary);
      expect(JSON.stringify({ ...adopted.metadata, managedFields: [] })).not.toContain('serin.dev');
      expect(adopted.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
      expect((await live('checkout')).metadata.managedFields?.map(({ manager }) => manager)).not.toContain('serin');

      const ending = {
        outcome: 'Promoted',
        reason: 'Promoted',
        message: 'It is stable.',
        endedAtMs: Date.now(),
        rollout,
      } as const;
      await endRecord(client, await client.get<ReleaseRecord>(releaseRecordKind, record.metadata), ending);
      await eventually('the record to be the Rollout’s', async () => {
        const found = await client.find<ReleaseRecord>(releaseRecordKind, record.metadata);
        return found === undefined || (found.metadata.finalizers ?? []).length === 0 ? true : undefined;
      });
    },
    patienceMs,
  );

  test(
    'a rejected canary goes to 0 and stays as a witness; nobody adopts it when the Deployment is given back',
    async () => {
      const { canary, hash } = await canaryOf('rejected', 1);
      await ready('rejected', hash, 1);
      await again(async () => scaleReplicaSet(client, await canaryNow(canary), 0));
      await eventually('its pods to be gone', async () => {
        const set = (await setsOf('rejected')).find((one) => one.hash === hash);
        return set?.podsLeft === 0 ? set : undefined;
      });
      await again(async () => detach(client, await live('rejected'), false));
      const left = await view('rejected');
      expect(left).toMatchObject({ attached: 'no', held: false, paused: true });
      const sets = (await setsOf('rejected')).map(({ owner, replicas }) => `${owner} ${replicas}`);
      expect(new Set(sets)).toEqual(new Set(['deployment 2', 'ours 0']));
    },
    patienceMs,
  );

  test(
    'two writers: a template that came in between stops the resume that would roll it out',
    async () => {
      await apply('raced', 'v1', { replicas: 0 });
      await again(async () => attach(client, await live('raced')));
      const seen = await again(async () => hold(client, await live('raced')));
      await apply('raced', 'v3', { replicas: 0 });
      await expect(resume(client, seen)).rejects.toMatchObject({ code: 'Conflict' });
      expect(await view('raced')).toMatchObject({ paused: true, held: true });
    },
    patienceMs,
  );

  test(
    'a ReplicaSet is deleted only if it is the one that was seen, and as it was seen',
    async () => {
      const { canary } = await canaryOf('deleted', 0);
      const { name, uid, resourceVersion } = canary.metadata;
      await deleteReplicaSet(client, { namespace, name, uid: 'another' });
      await again(async () => scaleReplicaSet(client, await canaryNow(canary), 1));
      await expect(deleteReplicaSet(client, { namespace, name, uid, resourceVersion })).rejects.toMatchObject({
        code: 'Conflict',
      });
      expect((await canaryNow(canary)).metadata.uid).toBe(uid);
      await deleteReplicaSet(client, { namespace, name, uid });
      await eventually('it to be gone', async () =>
        (await client.find(replicaSets, { namespace, name })) === undefined ? true : undefined,
      );
    },
    patienceMs,
  );

  test(
    'a quota is found by the rehearsal, before any release',
    async () => {
      const quota = { metadata: { name: 'tight' }, spec: { hard: { 'count/replicasets.apps': '0' } } };
      await apply('quota', 'v1', { replicas: 0 });
      await server.ask('POST', `/api/v1/namespaces/${namespace}/resourcequotas`, quota);
      const refused = await eventually(
        'the quota to be in force',
        async () => (await rehearse(client, await live('quota'), 2)).refused,
      );
      expect(refused).toContain('exceeded quota: tight');
      await server.ask('DELETE', `/api/v1/namespaces/${namespace}/resourcequotas/tight`);
    },
    patienceMs,
  );

  test.each([
    'RolledBack',
    'Superseded',
    'Cancelled',
    'Detached',
    'Aborted',
    'NotJudged',
    'Bypassed',
    'Escaped',
    'Unknown',
  ] as const)(
    'the API takes an attempt that ended as %s, and the record is then the Rollout’s',
    async (outcome) => {
      const record = await anchorOf(client, namespace, `ended-${outcome.toLowerCase()}`, 'bcdfghjklm');
      expect(record.metadata).toMatchObject({ finalizers: ['serin.dev/anchor'] });
      expect(record.metadata.ownerReferences).toBeUndefined();
      const times = { startedAtMs: 0, endedAtMs: 1 };
      await endRecord(client, record, { outcome, reason: 'Errors', message: 'It fails.', ...times, rollout });
      const ended = await client.find<ReleaseRecord>(releaseRecordKind, record.metadata);
      if (ended !== undefined) expect(ended.status).toMatchObject({ outcome });
    },
    patienceMs,
  );
});
