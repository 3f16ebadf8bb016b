/** Scenarios about Serin's admission policies: what they hold, stamp and refuse. */
import { releaseRecordKind, rolloutActionKind, rolloutKind } from '../../../src/api/kinds.ts';
import { deployments, services } from '../../../src/kube/resources.ts';
import type { Deployment } from '../../../src/workload/objects.ts';
import { deploymentOf, recordOf, rolloutOf, serviceOf, templateOf } from '../manifests.ts';
import { refusal, refusalClass, type Scenario, type World } from '../world.ts';

const serin = { impersonate: { user: 'system:serviceaccount:serin-system:serin', groups: ['system:masters'] } };
const probe = { impersonate: { user: 'system:serviceaccount:serin-system:serin-probe', groups: ['system:masters'] } };
const attached = { 'serin.dev/attached': 'true' };

function within<T extends { readonly metadata: object }>({ namespace }: World, object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** An attached Deployment without pods. */
async function held(world: World, name: string): Promise<{ readonly namespace: string; readonly name: string }> {
  await world.client.create(deployments, within(world, deploymentOf(name, { replicas: 0, labels: attached })), {
    fieldManager: 'git',
  });
  return { namespace: world.namespace, name };
}

const state = ({ metadata, spec }: Deployment) => ({
  paused: spec.paused ?? false,
  held: metadata.annotations?.['serin.dev/held'] ?? 'no',
  label: metadata.labels?.['serin.dev/attached'] ?? 'none',
});

const heldState = { paused: true, held: 'true', label: 'true' };
const freeState = { paused: false, held: 'no', label: 'true' };

export const admissionScenarios: readonly Scenario[] = [
  {
    sentence: 'a new template on an attached Deployment is held, by merge patch, apply and replace alike',
    async play(world, name) {
      const { client, transport, namespace } = world;
      const ref = await held(world, name);
      const spec = { template: templateOf(name, { version: 'v2' }) };
      const merged = await client.mergePatch<Deployment>(deployments, ref, { spec }, { dryRun: true });
      const applied = await client.apply<Deployment>(
        deployments,
        { metadata: ref, spec },
        { fieldManager: 'git', force: true, dryRun: true },
      );
      const body = { apiVersion: 'apps/v1', kind: 'Deployment', ...deploymentOf(name, { replicas: 0, version: 'v2' }) };
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
      const replaced = await transport.request<Deployment>({ method: 'PUT', path, body });
      return [merged, applied, replaced].map(state);
    },
    outcome: [heldState, heldState, heldState],
  },
  {
    sentence: 'what does not change the template is not held, and what Serin writes neither',
    async play(world, name) {
      const { client } = world;
      const ref = await held(world, name);
      const scaled = await client.mergePatch<Deployment>(deployments, ref, { spec: { revisionHistoryLimit: 3 } });
      const written = await client.mergePatch<Deployment>(
        deployments,
        ref,
        { spec: { template: templateOf(name, { version: 'v2' }) } },
        { ...serin, dryRun: true },
      );
      return [scaled, written].map(state);
    },
    outcome: [freeState, freeState],
  },
  {
    sentence: 'nobody but Serin ends a pause of ours, and a pause without our mark that ends becomes one',
    async play(world, name) {
      const { client } = world;
      const ref = await held(world, name);
      const theirs = await client.mergePatch<Deployment>(deployments, ref, { spec: { paused: true } });
      const resumed = await client.mergePatch<Deployment>(deployments, ref, { spec: { paused: false } });
      const again = await client.mergePatch<Deployment>(deployments, ref, {
        spec: { paused: null },
        metadata: { annotations: { 'serin.dev/held': null } },
      });
      const freed = await client.mergePatch<Deployment>(
        deployments,
        ref,
        { spec: { paused: null }, metadata: { annotations: { 'serin.dev/held': null } } },
        serin,
      );
      return [theirs, resumed, again, freed].map(state);
    },
    outcome: [{ paused: true, held: 'no', label: 'true' }, heldState, heldState, freeState],
  },
  {
    sentence: 'a dropped label comes back, and released lets everything through',
    async play(world, name) {
      const { client } = world;
      const ref = await held(world, name);
      const dropped = await client.mergePatch<Deployment>(deployments, ref, { metadata: { labels: null } });
      const spec = { template: templateOf(name, { version: 'v2' }) };
      const released = await client.mergePatch<Deployment>(deployments, ref, {
        metadata: { labels: { 'serin.dev/attached': 'released' } },
        spec,
      });
      return [dropped, released].map(state);
    },
    outcome: [freeState, { paused: false, held: 'no', label: 'released' }],
  },
  {
    sentence: 'the probe of the guard is held too, and may only ask',
    async play(world, name) {
      const { client } = world;
      const ref = await held(world, name);
      const attempt = { spec: { paused: null, template: { metadata: { annotations: { 'serin.dev/probe': 'x' } } } } };
      const asked = await client.mergePatch<Deployment>(deployments, ref, attempt, { ...probe, dryRun: true });
      return [state(asked), await refusal(client.mergePatch(deployments, ref, attempt, probe), name)];
    },
    outcome: [
      heldState,
      "403 Forbidden: deployments.apps \"…\" is forbidden: ValidatingAdmissionPolicy 'serin-dry-run-only' with binding 'serin-dry-run-only' denied request: system:serviceaccount:serin-system:serin-probe may do this as a dry run only.",
    ],
  },
  {
    sentence: 'a Deployment that a Rollout names is attached from its first moment',
    async play(world, name) {
      const { client } = world;
      await client.create(rolloutKind, within(world, rolloutOf(name)));
      const draft = within(world, deploymentOf(name, { replicas: 0 }));
      // The real server looks Rollouts up in a cache of its own.
      return world.until('the label', async () => {
        const tried = await client.create<Deployment>(deployments, draft, { dryRun: true });
        return tried.metadata.labels?.['serin.dev/attached'];
      });
    },
    outcome: 'true',
  },
  {
    sentence: 'a pinned Service keeps its pin through writes that do not know of it, and yields to those that do',
    async play(world, name) {
      const { client } = world;
      const ref = { namespace: world.namespace, name };
      type Pinned = {
        readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
        readonly spec: { readonly selector: object };
      };
      const both = ({ metadata, spec }: Pinned) =>
        [metadata.labels?.['serin.dev/pinned'], spec.selector].map((one) =>
          JSON.parse(JSON.stringify(one ?? null).replaceAll(name, '…')),
        );
      await client.create(services, { ...serviceOf(name), metadata: ref });
      await client.mergePatch(
        services,
        ref,
        { metadata: { labels: { 'serin.dev/pinned': 'abc' } }, spec: { selector: { 'pod-template-hash': 'abc' } } },
        serin,
      );
      const write = async (patch: object) =>
        both(await client.mergePatch<Pinned>(services, ref, patch, { dryRun: true }));
      return [
        await write({ spec: { selector: { 'pod-template-hash': null } } }),
        await write({ metadata: { labels: null }, spec: { selector: { 'pod-template-hash': 'def' } } }),
        await write({ metadata: { labels: null } }),
        await write({
          metadata: { labels: { 'serin.dev/pinned': 'released' } },
          spec: { selector: { 'pod-template-hash': null } },
        }),
      ];
    },
    outcome: [
      ['abc', { app: '…', 'pod-template-hash': 'abc' }],
      ['abc', { app: '…', 'pod-template-hash': 'abc' }],
      [null, { app: '…', 'pod-template-hash': 'abc' }],
      ['released', { app: '…' }],
    ],
  },
  {
    sentence: 'only Serin lets go of the record of a running attempt',
    async play(world, name) {
      const { client } = world;
      const ref = { namespace: world.namespace, name };
      await client.create(releaseRecordKind, within(world, recordOf(name, ['serin.dev/anchor'])));
      const refused = [
        await refusalClass(client.delete(releaseRecordKind, ref)),
        await refusalClass(client.mergePatch(releaseRecordKind, ref, { metadata: { finalizers: null } })),
        await refusalClass(client.mergePatch(releaseRecordKind, ref, { metadata: { labels: { a: 'b' } } })),
        await refusalClass(client.mergePatch(releaseRecordKind, ref, { metadata: { finalizers: null } }, serin)),
      ];
      await client.delete(releaseRecordKind, ref);
      return refused;
    },
    outcome: ['403 Forbidden', '403 Forbidden', 'accepted', 'accepted'],
  },
  {
    sentence: 'the status of Serin is written by Serin alone, and a status that it does not have is invalid',
    async play(world, name) {
      const { client } = world;
      const ref = { namespace: world.namespace, name };
      await client.create(releaseRecordKind, within(world, recordOf(name)));
      const status = { outcome: 'Promoted' };
      return [
        await refusalClass(client.patchStatus(releaseRecordKind, ref, status)),
        await refusalClass(client.patchStatus(releaseRecordKind, ref, status, serin)),
        await refusalClass(client.patchStatus(releaseRecordKind, ref, { outcome: 'Lost' }, serin)),
      ];
    },
    outcome: ['403 Forbidden', 'accepted', '422 Invalid'],
  },
  {
    sentence: 'the server writes who asked for an action, whatever the request says',
    async play(world, name) {
      const { client } = world;
      await client.create(rolloutKind, within(world, rolloutOf(name)));
      const action = { rollout: name, action: 'pause' };
      const make = async (spec: object) => {
        const draft = within(world, { metadata: { generateName: `${name}-` }, spec });
        return world.until('an answer', () =>
          client.create<{ spec: { by: string } }>(rolloutActionKind, draft).then(
            ({ spec: { by } }) => by,
            () => undefined,
          ),
        );
      };
      return [await make(action), await make({ ...action, by: 'somebody else' })];
    },
    outcome: ['admin', 'admin'],
  },
];
