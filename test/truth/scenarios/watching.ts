/** Scenarios about lists and watches: what is shown, in which order, and when a place is lost. */
import { deployments, type ResourceKind } from '../../../src/kube/resources.ts';
import { refusal, refusalClass, type Scenario, type World } from '../world.ts';

const configMaps: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

interface Seen {
  readonly type: string;
  readonly object: {
    readonly code?: number;
    readonly reason?: string;
    readonly metadata?: { readonly name?: string; readonly labels?: object; readonly resourceVersion?: string };
  };
}

/** Every event of a watch from a version until `enough`, or until the server ends it. */
async function watched(
  { transport, namespace }: World,
  query: Readonly<Record<string, string | number | boolean>>,
  enough: (events: readonly Seen[]) => boolean,
  path = `/api/v1/namespaces/${namespace}/configmaps`,
): Promise<readonly Seen[]> {
  const stop = new AbortController();
  const events: Seen[] = [];
  try {
    const lines = await transport.stream(
      { method: 'GET', path, query: { watch: true, timeoutSeconds: 30, ...query } },
      stop.signal,
    );
    for await (const line of lines) {
      events.push(JSON.parse(line) as Seen);
      if (enough(events)) break;
    }
  } finally {
    stop.abort();
  }
  return events;
}

function shown(events: readonly Seen[], name: string): readonly string[] {
  return events.map(({ type, object }) => `${type} ${object.metadata?.name?.replace(name, '…') ?? ''}`);
}

/** Makes, labels, unlabels and deletes one; another one is only made. */
async function history({ client, namespace }: World, name: string): Promise<string> {
  const ref = { namespace, name };
  const { metadata } = await client.create(configMaps, { metadata: { namespace, name: `${name}-first` } });
  await client.create(configMaps, { metadata: ref });
  await client.mergePatch(configMaps, ref, { metadata: { labels: { in: name } } });
  await client.mergePatch(configMaps, ref, { metadata: { annotations: { a: 'b' } } });
  await client.mergePatch(configMaps, ref, { metadata: { labels: { in: null } } });
  await client.create(configMaps, { metadata: { namespace, name: `${name}-other` } });
  await client.delete(configMaps, ref);
  return metadata.resourceVersion;
}

export const watchingScenarios: readonly Scenario[] = [
  {
    sentence: 'a watch shows everything since its place, in order, each at a higher version',
    async play(world, name) {
      const resourceVersion = await history(world, name);
      const events = await watched(world, { resourceVersion }, (all) => all.at(-1)?.type === 'DELETED');
      const versions = events.map(({ object }) => Number(object.metadata?.resourceVersion));
      return [shown(events, name), versions.every((version, at) => at === 0 || version > (versions[at - 1] ?? 0))];
    },
    outcome: [['ADDED …', 'MODIFIED …', 'MODIFIED …', 'MODIFIED …', 'ADDED …-other', 'DELETED …'], true],
  },
  {
    sentence:
      'through a label selector a watch shows what moves in as added and what moves out as deleted, as it last was',
    async play(world, name) {
      const resourceVersion = await history(world, name);
      const query = { resourceVersion, labelSelector: `in=${name}` };
      const events = await watched(world, query, (all) => all.at(-1)?.type === 'DELETED');
      return [shown(events, name), Object.keys(events.at(-1)?.object.metadata?.labels ?? {})];
    },
    outcome: [['ADDED …', 'MODIFIED …', 'DELETED …'], ['in']],
  },
  {
    sentence: 'a watch of one name shows only that',
    async play(world, name) {
      const resourceVersion = await history(world, name);
      const query = { resourceVersion, fieldSelector: `metadata.name=${name}-other` };
      return shown(await watched(world, query, (all) => all.length === 1), name);
    },
    outcome: ['ADDED …-other'],
  },
  {
    sentence: 'a watch ends after the time that was asked for, with a bookmark where bookmarks were allowed',
    async play(world, name) {
      const { metadata } = await world.client.create(configMaps, { metadata: { namespace: world.namespace, name } });
      const query = { resourceVersion: metadata.resourceVersion, timeoutSeconds: 3, allowWatchBookmarks: true };
      const [events] = await Promise.all([watched(world, query, () => false), world.pass(4_000)]);
      const versions = events.map(({ object }) => Number(object.metadata?.resourceVersion));
      return [
        events.every(({ type }) => type === 'BOOKMARK'),
        versions.every((version) => version >= Number(metadata.resourceVersion)),
      ];
    },
    outcome: [true, true],
  },
  {
    sentence: 'a place in the far past is gone, which the watch says as its only event',
    async play(world) {
      // Rollouts, because their kind was made after the server began: a server that is minutes old still remembers the first
      // ConfigMap of all, but of no kind what came before the kind itself.
      const path = `/apis/serin.dev/v1alpha1/namespaces/${world.namespace}/rollouts`;
      const events = await watched(world, { resourceVersion: 1 }, (all) => all.length > 0, path);
      return events.map(({ type, object }) => [type, object.code, object.reason]);
    },
    outcome: [['ERROR', 410, 'Expired']],
  },
  {
    sentence: 'a version from the future is too large for a list and for a get, and a word is none at all',
    async play({ client, namespace }) {
      const { resourceVersion } = await client.list(configMaps, { namespace });
      const future = String(Number(resourceVersion) + 1_000_000);
      return [
        await refusalClass(client.list(configMaps, { namespace, resourceVersion: future, timeoutMs: 20_000 })),
        await refusalClass(client.list(configMaps, { namespace, resourceVersion: 'soon' })),
      ];
    },
    outcome: ['504 Timeout', '400 BadRequest'],
  },
  {
    sentence: 'pages show one moment: what happens between them is in none',
    async play({ client, namespace }, name) {
      const labelSelector = `page=${name}`;
      const make = (at: number) =>
        client.create(configMaps, { metadata: { namespace, name: `${name}-${at}`, labels: { page: name } } });
      for (const at of [1, 2, 3, 5]) await make(at);
      const names: string[] = [];
      for await (const page of client.pages(configMaps, { namespace, labelSelector, pageSize: 2 })) {
        names.push(page.items.map(({ metadata }) => metadata.name.replace(name, '…')).join(' '));
        if (names.length === 1) await make(4);
      }
      return [names.filter(Boolean), (await client.list(configMaps, { namespace, labelSelector })).items.length];
    },
    outcome: [['…-1 …-2', '…-3 …-5'], 5],
  },
  {
    sentence: 'label selectors know sets, presence and absence',
    async play({ client, namespace }, name) {
      const labels = [{ set: name, tier: 'a' }, { set: name, tier: 'b' }, { set: name }];
      for (const [at, one] of labels.entries())
        await client.create(configMaps, { metadata: { namespace, name: `${name}-${at}`, labels: one } });
      const found = async (labelSelector: string) =>
        (await client.list(configMaps, { namespace, labelSelector })).items
          .map(({ metadata }) => metadata.name.slice(-1))
          .join('');
      return [
        await found(`set=${name},tier in (a, b)`),
        await found(`set=${name},tier!=a`),
        await found(`set==${name},!tier`),
        await found(`set=${name},tier`),
        await found(`set=${name},tier notin (b)`),
        await refusalClass(client.list(configMaps, { namespace, labelSelector: 'a in b' })),
      ];
    },
    outcome: ['01', '12', '2', '01', '02', '400 BadRequest'],
  },
  {
    sentence:
      'lists say nothing of a field that cannot be asked for, and a list of all namespaces has the objects of each',
    async play({ client, namespace }, name) {
      // Other runs may have left one of this name in their namespaces.
      const own = `${namespace}-${name}`;
      await client.create(configMaps, { metadata: { namespace, name: own } });
      const all = await client.list(configMaps, { fieldSelector: `metadata.name=${own}` });
      return [
        all.items.map(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.namespace === namespace]),
        (await refusal(client.list(deployments, { namespace, fieldSelector: 'spec.replicas=1' }))).split(':')[0],
      ];
    },
    outcome: [[['v1', 'ConfigMap', true]], '400 BadRequest'],
  },
];
