/** Scenarios about one object at a time: names, versions, generations, doors, finalizers, dry runs, what is invalid. */
import { metricSourceKind, releaseRecordKind, rolloutKind } from '../../../src/api/kinds.ts';
import { deployments, leases, namespaces, pods, type ResourceKind, services } from '../../../src/kube/resources.ts';
import type { Deployment } from '../../../src/workload/objects.ts';
import { deploymentOf, recordOf, rolloutOf, serviceOf } from '../manifests.ts';
import { refusal, refusalClass, type Scenario, type World } from '../world.ts';

const configMaps: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** In the world's namespace. */
function within<T extends { readonly metadata: object }>({ namespace }: World, object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function sleeping(world: World, name: string, spec: object = {}) {
  return within(world, deploymentOf(name, { replicas: 0, spec }));
}

export const objectScenarios: readonly Scenario[] = [
  {
    sentence: 'a generated name is the base and five characters, and the answer says so',
    async play({ client, namespace }, name) {
      const draft = { metadata: { namespace, generateName: `${name}-` } };
      const [one, two] = [await client.create(configMaps, draft), await client.create(configMaps, draft)];
      return [one, two].map(({ metadata }) =>
        new RegExp(`^${name}-[bcdfghjklmnpqrstvwxz2456789]{5}$`).test(metadata.name),
      );
    },
    outcome: [true, true],
  },
  {
    sentence: 'an object without any name, of a wrong name, or in a namespace that is not there is refused',
    async play(world, name) {
      const { client, namespace } = world;
      return [
        await refusal(client.create(configMaps, { metadata: { namespace } })),
        await refusalClass(client.create(configMaps, { metadata: { namespace, name: 'Upper_Case' } })),
        await refusalClass(client.create(services, { ...within(world, serviceOf('1-digit'.toUpperCase())) })),
        await refusal(client.create(configMaps, { metadata: { namespace: `${name}-none`, name } }), name),
      ];
    },
    outcome: [
      '422 Invalid: ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      '422 Invalid',
      '422 Invalid',
      '404 NotFound: namespaces "…-none" not found',
    ],
  },
  {
    sentence: 'what exists is told when it is created again, and what does not is not found',
    async play(world, name) {
      const { client, namespace } = world;
      await client.create(deployments, sleeping(world, name));
      const ref = { namespace, name: `${name}-none` };
      return [
        await refusal(client.create(deployments, sleeping(world, name)), name),
        await refusal(client.get(deployments, ref), name),
        await refusal(client.mergePatch(deployments, ref, { spec: { replicas: 1 } }), name),
        await refusal(client.delete(rolloutKind, ref), name),
        await refusalClass(client.get({ ...deployments, plural: 'nothings' }, ref)),
      ];
    },
    outcome: [
      '409 AlreadyExists: deployments.apps "…" already exists',
      '404 NotFound: deployments.apps "…-none" not found',
      '404 NotFound: deployments.apps "…-none" not found',
      '404 NotFound: rollouts.serin.dev "…-none" not found',
      '404 NotFound',
    ],
  },
  {
    sentence: 'a stale version is a conflict in every kind of write, also when nothing would change',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      const { metadata } = await client.create(configMaps, { metadata: { ...ref, labels: { by: 'one' } } });
      await client.mergePatch(configMaps, ref, { metadata: { labels: { by: 'two' } } });
      const stale = { resourceVersion: metadata.resourceVersion };
      const same = { metadata: { labels: { by: 'two' } } };
      const add = [{ op: 'add', path: '/metadata/labels/by', value: 'two' }] as const;
      return [
        await refusal(client.mergePatch(configMaps, ref, same, stale), name),
        await refusalClass(client.jsonPatch(configMaps, ref, add, stale)),
        await refusalClass(client.apply(configMaps, { metadata: { ...ref, ...stale } }, { force: true })),
        await refusalClass(client.delete(configMaps, ref, stale)),
        await refusalClass(client.delete(configMaps, ref, { uid: 'another' })),
        await refusalClass(client.delete(configMaps, ref, { uid: metadata.uid })),
      ];
    },
    outcome: [
      '409 Conflict: Operation cannot be fulfilled on configmaps "…": the object has been modified; please apply your changes to the latest version and try again',
      '409 Conflict',
      '409 Conflict',
      '409 Conflict',
      '409 Conflict',
      'accepted',
    ],
  },
  {
    sentence: 'a write that changes nothing keeps the version, and another one raises it',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      const made = await client.create(configMaps, { metadata: { ...ref, labels: { a: 'b' } } });
      const same = await client.mergePatch(configMaps, ref, { metadata: { labels: { a: 'b' } } });
      const other = await client.mergePatch(configMaps, ref, { metadata: { labels: { a: 'c' } } });
      return [
        same.metadata.resourceVersion === made.metadata.resourceVersion,
        Number(other.metadata.resourceVersion) > Number(made.metadata.resourceVersion),
      ];
    },
    outcome: [true, true],
  },
  {
    sentence:
      'the generation rises with the spec of a workload, of a Deployment with its annotations too, never with labels or status',
    async play(world, name) {
      const { client } = world;
      const ref = { namespace: world.namespace, name };
      const generations: (number | undefined)[] = [];
      const note = ({ metadata }: { readonly metadata: { readonly generation?: number } }) =>
        generations.push(metadata.generation);
      note(await client.create(deployments, sleeping(world, name, { paused: true })));
      note(await client.mergePatch(deployments, ref, { metadata: { labels: { a: 'b' } } }));
      note(await client.mergePatch(deployments, ref, { metadata: { annotations: { a: 'b' } } }));
      note(await client.mergePatch(deployments, ref, { spec: { minReadySeconds: 1 } }));
      note(await client.mergePatch(deployments, ref, { spec: { minReadySeconds: 1 } }));
      const record = await client.create(releaseRecordKind, within(world, recordOf(name)));
      note(record);
      note(await client.mergePatch(releaseRecordKind, ref, { metadata: { annotations: { a: 'b' } } }));
      return generations;
    },
    outcome: [1, 1, 2, 3, 3, 1, 1],
  },
  {
    sentence: 'the door of status takes only status, and the main door none',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      await client.create(deployments, sleeping(world, name, { paused: true }));
      const both = { metadata: { labels: { a: 'b' } }, spec: { replicas: 7 }, status: { collisionCount: 3 } };
      const byStatus = await client.mergePatch<Deployment>(deployments, ref, both, { subresource: 'status' });
      const byMain = await client.mergePatch<Deployment>(deployments, ref, { status: { collisionCount: 9 } });
      return [byStatus, byMain].map(({ metadata, spec, status }) => ({
        labels: metadata.labels,
        replicas: spec.replicas,
        collisions: (status as { collisionCount?: number } | undefined)?.collisionCount,
      }));
    },
    outcome: [
      { labels: undefined, replicas: 0, collisions: 3 },
      { labels: undefined, replicas: 0, collisions: 3 },
    ],
  },
  {
    sentence: 'the door of scale is a window on replicas',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      await client.create(deployments, sleeping(world, name, { paused: true }));
      type Scale = {
        readonly kind: string;
        readonly apiVersion: string;
        readonly spec: object;
        readonly metadata: { readonly name: string };
      };
      const scale = await client.mergePatch<Scale>(
        deployments,
        ref,
        { spec: { replicas: 0 } },
        { subresource: 'scale' },
      );
      await client.mergePatch(deployments, ref, { spec: { replicas: 3 } }, { subresource: 'scale' });
      const { spec, metadata } = await client.get<Deployment>(deployments, ref);
      await client.mergePatch(deployments, ref, { spec: { replicas: 0 } }, { subresource: 'scale' });
      return [scale.kind, scale.apiVersion, spec.replicas, metadata.generation];
    },
    outcome: ['Scale', 'autoscaling/v1', 3, 2],
  },
  {
    sentence: 'a dry run is answered, admission and all, and not kept',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      const made = await client.create(deployments, sleeping(world, name), { dryRun: true });
      const absent = await client.find(deployments, ref);
      const real = await client.create(deployments, sleeping(world, name, { paused: true }));
      const patched = await client.mergePatch(deployments, ref, { metadata: { labels: { a: 'b' } } }, { dryRun: true });
      await client.delete(deployments, ref, { dryRun: true });
      const { metadata } = await client.get(deployments, ref);
      return [
        typeof made.metadata.uid,
        made.metadata.generation,
        absent,
        patched.metadata.labels,
        metadata.labels,
        metadata.uid === real.metadata.uid,
      ];
    },
    outcome: ['string', 1, undefined, { a: 'b' }, undefined, true],
  },
  {
    sentence: 'an object with finalizers is only marked, takes no new ones, and goes with the last of them',
    async play({ client, namespace }, name) {
      const ref = { namespace, name };
      const finalizers = ['serin.dev/one', 'serin.dev/two'];
      await client.create(configMaps, { metadata: { ...ref, finalizers } });
      await client.delete(configMaps, ref);
      const marked = (await client.get(configMaps, ref)).metadata as {
        deletionTimestamp?: string;
        deletionGracePeriodSeconds?: number;
      };
      const added = await refusal(
        client.mergePatch(configMaps, ref, { metadata: { finalizers: [...finalizers, 'serin.dev/three'] } }),
        name,
      );
      await client.delete(configMaps, ref);
      const one = await client.mergePatch(configMaps, ref, { metadata: { finalizers: ['serin.dev/two'] } });
      const created = await refusalClass(client.create(configMaps, { metadata: ref }));
      await client.mergePatch(configMaps, ref, { metadata: { finalizers: null } });
      return [
        typeof marked.deletionTimestamp,
        marked.deletionGracePeriodSeconds,
        added,
        one.metadata.finalizers,
        created,
        await client.find(configMaps, ref),
      ];
    },
    outcome: [
      'string',
      0,
      '422 Invalid: ConfigMap "…" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"serin.dev/three"}',
      ['serin.dev/two'],
      '409 AlreadyExists',
      undefined,
    ],
  },
  {
    sentence: 'the marking of a deletion raises the generation of what has one',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      const draft = sleeping(world, name, { paused: true });
      await client.create(deployments, { ...draft, metadata: { ...draft.metadata, finalizers: ['serin.dev/one'] } });
      await client.delete(deployments, ref);
      const { metadata } = await client.get(deployments, ref);
      await client.mergePatch(deployments, ref, { metadata: { finalizers: null } });
      return metadata.generation;
    },
    outcome: 2,
  },
  {
    sentence: 'nobody sets or takes back a deletion, a UID or a time of creation by a write',
    async play({ client, transport, namespace }, name) {
      const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
      const ref = { namespace, name };
      const { metadata: first } = await client.create(configMaps, { metadata: ref });
      const [creationTimestamp, deletionTimestamp] = ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'];
      const patched = await client.mergePatch(configMaps, ref, { metadata: { creationTimestamp } });
      const { metadata } = patched;
      return [
        metadata.creationTimestamp === first.creationTimestamp,
        await refusal(client.mergePatch(configMaps, ref, { metadata: { deletionTimestamp } }), name),
        await refusal(client.mergePatch(configMaps, ref, { metadata: { uid: 'another' } }), name, first.uid),
        await refusalClass(
          transport.request({ method: 'PUT', path, body: { metadata: { name, namespace, uid: 'another' } } }),
        ),
      ];
    },
    outcome: [
      true,
      '422 Invalid: ConfigMap "…" is invalid: metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
      '422 Invalid: ConfigMap "…" is invalid: metadata.uid: Invalid value: "another": field is immutable',
      '409 Conflict',
    ],
  },
  {
    sentence:
      'a JSON patch that does not fit is invalid and no conflict, and a list index and an escaped key are found',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      await client.create(
        services,
        within(world, { ...serviceOf(name), metadata: { name, annotations: { 'a/b': 'c' } } }),
      );
      const gone = [{ op: 'remove', path: '/metadata/labels/none' }] as const;
      const tested = [{ op: 'test', path: '/spec/type', value: 'NodePort' }] as const;
      const fitting = [
        { op: 'remove', path: '/metadata/annotations/a~1b' },
        { op: 'replace', path: '/spec/ports/0/port', value: 81 },
        { op: 'add', path: '/spec/ports/-', value: { name: 'more', port: 82 } },
      ] as const;
      const refused = [
        await refusalClass(client.jsonPatch(services, ref, gone)),
        await refusalClass(client.jsonPatch(services, ref, tested)),
      ];
      const { metadata, spec } = await client.jsonPatch<{
        metadata: { annotations?: object };
        spec: { ports: { port: number; targetPort: unknown }[] };
      }>(services, ref, fitting);
      return [refused, metadata.annotations, spec.ports.map(({ port, targetPort }) => [port, targetPort])];
    },
    outcome: [
      ['422 Invalid', '422 Invalid'],
      undefined,
      [
        [81, 'http'],
        [82, 82],
      ],
    ],
  },
  {
    sentence: 'what a workload must not be is said in the words of the server',
    async play(world, name) {
      const { client, namespace } = world;
      const ref = { namespace, name };
      await client.create(deployments, sleeping(world, name, { paused: true }));
      const other = { spec: { selector: { matchLabels: { app: 'other' } } } };
      const recreate = { spec: { strategy: { type: 'Recreate' } } };
      return [
        await refusalClass(client.mergePatch(deployments, ref, other)),
        await refusal(client.mergePatch(deployments, ref, recreate), name),
        await refusal(client.mergePatch(deployments, ref, { spec: { replicas: -1 } }), name),
        await refusalClass(
          client.create(deployments, sleeping(world, `${name}-b`, { template: { spec: { containers: [] } } })),
        ),
      ];
    },
    outcome: [
      '422 Invalid',
      '422 Invalid: Deployment.apps "…" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is \'Recreate\'',
      '422 Invalid: Deployment.apps "…" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      '422 Invalid',
    ],
  },
  {
    sentence: "fields that Serin's kinds do not have are dropped, and what they forbid is invalid",
    async play(world, name) {
      const { client } = world;
      const draft = within(world, rolloutOf(name));
      const loose = { ...draft, spec: { ...draft.spec, colour: 'blue', strategy: { bake: '1m', speed: 3 } } };
      const made = await client.create<{ spec: Readonly<Record<string, unknown>> }>(rolloutKind, loose);
      const wrong = (spec: object) =>
        refusalClass(
          client.create(
            rolloutKind,
            within(world, { metadata: { name: `${name}-b` }, spec: { ...draft.spec, ...spec } }),
          ),
        );
      return [
        made.spec['colour'],
        made.spec['strategy'],
        await wrong({ strategy: { bake: 7 } }),
        await wrong({ strategy: { bake: 'soon' } }),
        await wrong({ targetRef: { apiVersion: 'apps/v1', kind: 'Deployment' } }),
        await wrong({ targetRef: { apiVersion: 'apps/v1', kind: 'DaemonSet', name } }),
        await refusalClass(client.create(rolloutKind, within(world, { metadata: { name: `${name}-c` } }))),
      ];
    },
    outcome: [undefined, { bake: '1m' }, '422 Invalid', '422 Invalid', '422 Invalid', '422 Invalid', '422 Invalid'],
  },
  {
    sentence: 'a replacement without a version means any version of a built-in kind, and is refused for others',
    async play({ client, transport, namespace }, name) {
      const ref = { namespace, name };
      await client.create(configMaps, { metadata: ref });
      const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { a: 'b' } };
      const put = await transport.request<{ data: object }>({ method: 'PUT', path, body });
      const source = { metadata: { name: `${namespace}-${name}` }, spec: { prometheus: { address: 'http://none' } } };
      await client.create(metricSourceKind, source);
      const whole = { apiVersion: 'serin.dev/v1alpha1', kind: 'MetricSource', ...source };
      const refused = await refusalClass(
        transport.request({
          method: 'PUT',
          path: `/apis/serin.dev/v1alpha1/metricsources/${source.metadata.name}`,
          body: whole,
        }),
      );
      await client.delete(metricSourceKind, source.metadata);
      return [put.data, refused];
    },
    outcome: [{ a: 'b' }, '422 Invalid'],
  },
  {
    sentence: 'the server fills in what a Deployment leaves out, and leaves out what is zero',
    async play(world, name) {
      const { client } = world;
      const { spec } = deploymentOf(name) as { spec: { selector: object; template: object } };
      const draft = within(world, {
        metadata: { name },
        spec: { selector: spec.selector, template: spec.template, paused: false, minReadySeconds: 0 },
      });
      const made = await client.create<Deployment>(deployments, draft, { dryRun: true });
      return JSON.parse(JSON.stringify(made.spec).replaceAll(name, 'checkout'));
    },
    outcome: {
      progressDeadlineSeconds: 600,
      replicas: 1,
      revisionHistoryLimit: 10,
      selector: { matchLabels: { app: 'checkout' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels: { app: 'checkout' } },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'serin.test/workload:v1',
              imagePullPolicy: 'Never',
              env: [{ name: 'VERSION', value: 'v1' }],
              ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
              readinessProbe: {
                httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
                periodSeconds: 1,
                failureThreshold: 3,
                successThreshold: 1,
                timeoutSeconds: 1,
              },
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 5,
        },
      },
    },
  },
  {
    sentence: 'a namespace that is being deleted takes nothing new, empties, and goes',
    async play(world, name) {
      const { client } = world;
      const own = `${world.namespace}-${name}`;
      const ref = { namespace: own, name };
      await client.create(namespaces, { metadata: { name: own } });
      await client.create(configMaps, { metadata: { ...ref, finalizers: ['serin.dev/one'] } });
      await client.create(leases, { metadata: ref, spec: {} });
      await client.delete(namespaces, { name: own });
      const refused = await refusalClass(client.create(configMaps, { metadata: { namespace: own, name: 'late' } }));
      await world.until('the Lease to go', async () =>
        (await client.find(leases, ref)) === undefined ? true : undefined,
      );
      const { status } = await client.get<{ status: { phase: string } }>(namespaces, { name: own });
      await client.mergePatch(configMaps, ref, { metadata: { finalizers: null } });
      await world.until('the namespace to go', async () =>
        (await client.find(namespaces, { name: own })) === undefined ? true : undefined,
      );
      return [refused, status.phase];
    },
    outcome: ['403 Forbidden', 'Terminating'],
  },
  {
    sentence: 'a pod that no node has taken goes at once, and one with a node gets its time',
    async play(world, name) {
      const { client, namespace } = world;
      const template = deploymentOf(name) as unknown as { spec: { template: { metadata: object; spec: object } } };
      const { metadata, spec } = template.spec.template;
      const draft = (suffix: string, more: object) => ({
        metadata: { ...metadata, namespace, name: `${name}-${suffix}` },
        spec: { ...spec, ...more },
      });
      await client.create(pods, draft('free', { schedulerName: 'nobody' }));
      await client.delete(pods, { namespace, name: `${name}-free` });
      const free = await client.find(pods, { namespace, name: `${name}-free` });
      await client.create(pods, draft('bound', {}));
      const ref = { namespace, name: `${name}-bound` };
      await world.until(
        'a node',
        async () => (await client.get<{ spec: { nodeName?: string } }>(pods, ref)).spec.nodeName,
      );
      await client.delete(pods, ref);
      const marked = (await client.find(pods, ref))?.metadata as { deletionGracePeriodSeconds?: number } | undefined;
      await world.until('its end', async () => ((await client.find(pods, ref)) === undefined ? true : undefined));
      return [free, marked?.deletionGracePeriodSeconds];
    },
    outcome: [undefined, 5],
  },
];
