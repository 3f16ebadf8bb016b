/** Scenarios about the Deployment controller: rolls, pauses, resizes, adoption. */
import { deployments, replicaSets } from '../../../src/kube/resources.ts';
import { controllerOf, type ReplicaSet } from '../../../src/workload/objects.ts';
import { templateOf } from '../manifests.ts';
import { isOver } from '../../../src/simulation/controllers/pod-states.ts';
import type { Scenario, World } from '../world.ts';
import {
  deploy,
  liveOf,
  livePodsOf,
  podsOf,
  progressOf,
  refIn,
  resize,
  roll,
  setOf,
  setsOf,
  settled,
  sized,
  sizes,
  versionOf,
} from './sets.ts';

const revisions = async (world: World, name: string) =>
  Object.fromEntries(
    (await setsOf(world, name)).map((set) => [
      versionOf(set),
      set.metadata.annotations?.['deployment.kubernetes.io/revision'],
    ]),
  );

export const deploymentScenarios: readonly Scenario[] = [
  {
    sentence: 'a new Deployment gets one ReplicaSet with its revision, and says so',
    async play(world, name) {
      await deploy(world, name, { replicas: 2 });
      const live = await settled(world, name);
      const set = await setOf(world, name, 'v1');
      const annotations = set.metadata.annotations ?? {};
      const hash = set.metadata.labels?.['pod-template-hash'] ?? '';
      return {
        progress: progressOf(live),
        available: live.status?.conditions?.find(({ type }) => type === 'Available')?.status,
        revision: live.metadata.annotations?.['deployment.kubernetes.io/revision'],
        annotations,
        isNamedByHash: set.metadata.name === `${name}-${hash}` && /^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/.test(hash),
        selects: Object.keys(set.spec.selector.matchLabels ?? {}).toSorted(),
        owner: controllerOf(set)?.uid === live.metadata.uid,
        pods: (await livePodsOf(world, set)).map(({ metadata }) => metadata.name.startsWith(`${set.metadata.name}-`)),
      };
    },
    outcome: {
      progress: 'True NewReplicaSetAvailable',
      available: 'True',
      revision: '1',
      annotations: {
        'deployment.kubernetes.io/desired-replicas': '2',
        'deployment.kubernetes.io/max-replicas': '3',
        'deployment.kubernetes.io/revision': '1',
      },
      isNamedByHash: true,
      selects: ['app', 'pod-template-hash'],
      owner: true,
      pods: [true, true],
    },
  },
  {
    sentence: 'a roll goes to the new template, an undo back to the old ReplicaSet under a new revision',
    async play(world, name) {
      await deploy(world, name, { replicas: 2 });
      await settled(world, name);
      await roll(world, name, { version: 'v2' });
      await settled(world, name);
      await sized(world, name, { v1: 0, v2: 2 });
      const rolled = await revisions(world, name);
      const first = (await setOf(world, name, 'v1')).metadata.uid;
      await roll(world, name, { version: 'v1' });
      await settled(world, name);
      await sized(world, name, { v1: 2, v2: 0 });
      const back = await setOf(world, name, 'v1');
      return [
        rolled,
        await revisions(world, name),
        back.metadata.uid === first,
        back.metadata.annotations?.['deployment.kubernetes.io/revision-history'],
        (await liveOf(world, name)).metadata.annotations?.['deployment.kubernetes.io/revision'],
      ];
    },
    outcome: [{ v1: '1', v2: '2' }, { v1: '3', v2: '2' }, true, '1', '3'],
  },
  {
    sentence: 'a roll that cannot get ready stops where maxSurge and maxUnavailable let it',
    async play(world, name) {
      const steps: unknown[] = [];
      for (const [at, rollingUpdate] of [
        { maxSurge: '25%', maxUnavailable: '25%' },
        { maxSurge: 0, maxUnavailable: 1 },
        { maxSurge: 3, maxUnavailable: 0 },
      ].entries()) {
        const own = `${name}-${at}`;
        await deploy(world, own, { replicas: 4, spec: { strategy: { type: 'RollingUpdate', rollingUpdate } } });
        await settled(world, own);
        await roll(world, own, { version: 'v2', isNeverReady: true });
        await world.until(`${own} to have begun`, async () => ((await sizes(world, own))['v2'] ? true : undefined));
        await world.pass(2_500);
        steps.push(await sizes(world, own));
        await resize(world, own, 0);
      }
      return steps;
    },
    outcome: [
      { v1: 3, v2: 2 },
      { v1: 3, v2: 1 },
      { v1: 4, v2: 3 },
    ],
  },
  {
    sentence: 'a resize in the middle of a roll is spread by size, with what is left over for the biggest',
    async play(world, name) {
      await deploy(world, name, { replicas: 4 });
      await settled(world, name);
      await roll(world, name, { version: 'v2', isNeverReady: true });
      await sized(world, name, { v1: 3, v2: 2 });
      const seen: unknown[] = [];
      // Paused, or the roll goes on in between and the outcome depends on who is faster.
      await world.client.mergePatch(deployments, refIn(world, name), { spec: { paused: true } });
      for (const replicas of [8, 6, 2]) {
        await resize(world, name, replicas);
        await world.until('every set to know the new size', async () => {
          const desired = (await setsOf(world, name)).map(
            ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/desired-replicas'],
          );
          return desired.every((one) => one === String(replicas)) ? true : undefined;
        });
        seen.push(await sizes(world, name));
      }
      await resize(world, name, 0);
      await sized(world, name, { v1: 0, v2: 0 });
      return seen;
    },
    outcome: [
      { v1: 6, v2: 4 },
      { v1: 5, v2: 3 },
      { v1: 2, v2: 1 },
    ],
  },
  {
    sentence: 'a paused Deployment does not roll but is scaled, and says that it is paused; resumed it rolls',
    async play(world, name) {
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      await roll(world, name, { version: 'v2' }, { paused: true });
      await resize(world, name, 2);
      await sized(world, name, { v1: 2 });
      await world.pass(1_500);
      const paused = [await sizes(world, name), progressOf(await liveOf(world, name))];
      await world.client.mergePatch(deployments, refIn(world, name), { spec: { paused: null } });
      await settled(world, name);
      await sized(world, name, { v1: 0, v2: 2 });
      return [paused, progressOf(await liveOf(world, name))];
    },
    outcome: [[{ v1: 2 }, 'Unknown DeploymentPaused'], 'True NewReplicaSetAvailable'],
  },
  {
    sentence: 'while paused, from zero the youngest ReplicaSet is revived, whatever it runs',
    async play(world, name) {
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      // Ages of sets are compared in seconds.
      await world.pass(1_100);
      await roll(world, name, { version: 'v2' });
      await settled(world, name);
      await roll(world, name, { version: 'v1' });
      await settled(world, name);
      await sized(world, name, { v1: 1, v2: 0 });
      await roll(world, name, { version: 'v3' }, { paused: true, replicas: 0 });
      await sized(world, name, { v1: 0, v2: 0 });
      await resize(world, name, 1);
      await world.until('something to be revived', async () =>
        Object.values(await sizes(world, name)).includes(1) ? true : undefined,
      );
      const seen = await sizes(world, name);
      await resize(world, name, 0);
      return seen;
    },
    outcome: { v1: 0, v2: 1 },
  },
  {
    sentence: 'a foreign ReplicaSet that matches is left alone, and adopted when its controller lets go',
    async play(world, name) {
      await deploy(world, name, { replicas: 2, spec: { paused: true } });
      const canary = await orphanTo(world, name, 2, true);
      await world.pass(1_500);
      const before = await sizes(world, name);
      await world.client.mergePatch(replicaSets, canary.metadata, { metadata: { ownerReferences: null } });
      const adopted = await world.until('the adoption', async () => {
        const set = await world.client.get<ReplicaSet>(replicaSets, canary.metadata);
        return controllerOf(set)?.kind === 'Deployment' ? set : undefined;
      });
      const owner = controllerOf(adopted);
      return [before, owner?.uid === (await liveOf(world, name)).metadata.uid, owner?.blockOwnerDeletion];
    },
    outcome: [{ v2: 2 }, true, true],
  },
  {
    sentence:
      'an adopted ReplicaSet that is saturated by its annotation ends the others although the Deployment is paused, and keeps its pods',
    async play(world, name) {
      await deploy(world, name, { replicas: 2 });
      await settled(world, name);
      await roll(world, name, { version: 'v2' }, { paused: true });
      const canary = await orphanTo(world, name, 2, true);
      const podsBefore = await world.until('ready pods of the canary', async () => {
        const set = await world.client.get<ReplicaSet>(replicaSets, canary.metadata);
        return set.status?.availableReplicas === 2 ? livePodsOf(world, set) : undefined;
      });
      const annotations = {
        'deployment.kubernetes.io/desired-replicas': '2',
        'deployment.kubernetes.io/max-replicas': '4',
      };
      await world.client.mergePatch(replicaSets, canary.metadata, { metadata: { ownerReferences: null, annotations } });
      await sized(world, name, { v1: 0, v2: 2 });
      const podsAfter = await livePodsOf(world, canary);
      const live = await liveOf(world, name);
      const uids = (list: typeof podsAfter) =>
        list
          .map(({ metadata }) => metadata.uid)
          .toSorted()
          .join();
      return [uids(podsBefore) === uids(podsAfter), live.spec.paused];
    },
    outcome: [true, true],
  },
  {
    sentence:
      'without the annotation an adopted ReplicaSet gets it when sizes are shared out, and then ends the others too',
    async play(world, name) {
      await deploy(world, name, { replicas: 2 });
      await settled(world, name);
      await roll(world, name, { version: 'v2' }, { paused: true });
      const canary = await orphanTo(world, name, 2, false);
      await world.until('ready pods', async () => {
        const set = await world.client.get<ReplicaSet>(replicaSets, canary.metadata);
        return set.status?.availableReplicas === 2 && controllerOf(set)?.kind === 'Deployment' ? true : undefined;
      });
      await world.pass(2_000);
      const seen = await sizes(world, name);
      await resize(world, name, 0);
      return seen;
    },
    outcome: { v1: 0, v2: 2 },
  },
  {
    sentence: 'a ReplicaSet whose labels no longer match is let go',
    async play(world, name) {
      await deploy(world, name, { replicas: 1 });
      await settled(world, name);
      const set = await setOf(world, name, 'v1');
      await world.client.mergePatch(replicaSets, set.metadata, { metadata: { labels: { app: `${name}-free` } } });
      await world.until('it to be free', async () =>
        controllerOf(await world.client.get<ReplicaSet>(replicaSets, set.metadata)) === undefined ? true : undefined,
      );
      await resize(world, name, 0);
      await world.client.delete(replicaSets, set.metadata);
      return true;
    },
    outcome: true,
  },
  {
    sentence: 'empty ReplicaSets beyond the history limit go, the oldest revisions first',
    async play(world, name) {
      await deploy(world, name, { replicas: 0, spec: { revisionHistoryLimit: 1 } });
      await settled(world, name);
      for (const version of ['v2', 'v3', 'v4']) {
        await roll(world, name, { version });
        await world.until(`the set of ${version}`, async () =>
          (await sizes(world, name))[version] === 0 ? true : undefined,
        );
        await settled(world, name);
      }
      await world.until('the cleaning', async () => ((await setsOf(world, name)).length === 2 ? true : undefined));
      return Object.keys(await sizes(world, name));
    },
    outcome: ['v3', 'v4'],
  },
  {
    sentence: 'with Recreate the old pods have ended before the first new one is made',
    async play(world, name) {
      await deploy(world, name, { replicas: 2, spec: { strategy: { type: 'Recreate' } } });
      await settled(world, name);
      await roll(world, name, { version: 'v2' });
      const old = await world.until('the new set', async () => {
        // In this order: once the new set is there, an old pod that is listed later has outlived it.
        const ours = await setsOf(world, name);
        const all = await podsOf(world, name);
        const newest = ours.find((set) => versionOf(set) === 'v2');
        return newest === undefined
          ? undefined
          : all.filter((pod) => controllerOf(pod)?.uid !== newest.metadata.uid && !isOver(pod)).length;
      });
      await settled(world, name);
      return [old, await sizes(world, name)];
    },
    outcome: [0, { v1: 0, v2: 2 }],
  },
  {
    sentence: 'a roll without progress says so after its deadline, and goes on when it is given a good template',
    async play(world, name) {
      await deploy(world, name, { replicas: 1, spec: { progressDeadlineSeconds: 2 } });
      await settled(world, name);
      await roll(world, name, { version: 'v2', isNeverReady: true });
      await world.until('the deadline', async () =>
        progressOf(await liveOf(world, name)) === 'False ProgressDeadlineExceeded' ? true : undefined,
      );
      const stuck = await sizes(world, name);
      await roll(world, name, { version: 'v3' });
      await sized(world, name, { v1: 0, v2: 0, v3: 1 });
      await settled(world, name);
      return [stuck, progressOf(await liveOf(world, name))];
    },
    outcome: [{ v1: 1, v2: 1 }, 'True NewReplicaSetAvailable'],
  },
  {
    sentence: 'minReadySeconds delays what counts as available',
    async play(world, name) {
      await deploy(world, name, { replicas: 1, spec: { minReadySeconds: 3 } });
      const early = await world.until('a ready pod', async () => {
        const { status } = await setOf(world, name, 'v1').catch(() => ({ status: undefined }));
        return (status?.readyReplicas ?? 0) === 1 ? (status?.availableReplicas ?? 0) : undefined;
      });
      const live = await settled(world, name);
      return [early, live.status?.availableReplicas];
    },
    outcome: [0, 1],
  },
  {
    sentence:
      "annotations of the Deployment come to its newest ReplicaSet, the server's own apart, and are not taken off",
    async play(world, name) {
      await deploy(world, name, { replicas: 0, annotations: { team: 'shop' } });
      await settled(world, name);
      await world.client.mergePatch(deployments, refIn(world, name), {
        metadata: { annotations: { team: null, more: 'x' } },
      });
      const annotations = await world.until('the new annotation', async () => {
        const { metadata } = await setOf(world, name, 'v1');
        return metadata.annotations?.['more'] === undefined ? undefined : metadata.annotations;
      });
      return [annotations['team'], annotations['more']];
    },
    outcome: ['shop', 'x'],
  },
];

/** A ReplicaSet of the live template as Serin makes a canary: owned by something else, or by nobody. */
async function orphanTo(world: World, name: string, replicas: number, isOwned: boolean): Promise<ReplicaSet> {
  const { client, namespace } = world;
  const live = await liveOf(world, name);
  const isPlain = versionOf(live) === 'v1';
  const template = isPlain ? (templateOf(name, { version: 'v2' }) as typeof live.spec.template) : live.spec.template;
  const hash = 'canary2222';
  const labels = { app: name, 'pod-template-hash': hash };
  const owner = await client.create(
    { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
    { metadata: { namespace, name: `${name}-owner` } },
  );
  const reference = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
  };
  return client.create<ReplicaSet>(replicaSets, {
    metadata: { namespace, name: `${name}-${hash}`, labels, ...(isOwned ? { ownerReferences: [reference] } : {}) },
    spec: { replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
  });
}
