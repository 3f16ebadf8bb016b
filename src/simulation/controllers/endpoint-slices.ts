/** The EndpointSlice controller: one slice a Service, of its pods that have an address, with what each can take. */
import { isEqual } from '../../controller/merge-patch.ts';
import { endpointSlices, pods, refOf, services } from '../../kube/resources.ts';
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../../traffic/objects.ts';
import type { Pod } from '../../workload/objects.ts';
import { matchesLabels } from '../../workload/selector.ts';
import type { ApiServer } from '../server/api-server.ts';
import { fieldsAt, isFields, listAt } from '../server/objects.ts';
import type { Change } from '../server/storage.ts';
import { controlledBy, Hand, keyOfObject } from './hand.ts';
import { isEnding, isOver, isReadyPod, nodeOf } from './pod-states.ts';
import type { Controller } from './runner.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const OUR_NAME = 'endpointslice-controller.k8s.io';

interface SlicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

export class EndpointSliceController implements Controller {
  readonly name = 'endpointslice-controller';
  readonly #hand: Hand;

  constructor({ server }: { readonly server: ApiServer }) {
    this.#hand = new Hand(server, this.name);
  }

  all(): readonly string[] {
    return this.#hand.all(services).map(keyOfObject);
  }

  concerns({ resource, object, before }: Change): readonly string[] {
    if (resource === 'services.') return [keyOfObject(object)];
    const { namespace = '', labels = {} } = object.metadata;
    if (resource === 'endpointslices.discovery.k8s.io') {
      const service = labels[SERVICE_NAME];
      return service === undefined ? [] : [`${namespace}/${service}`];
    }
    if (resource !== 'pods.') return [];
    const both = [labels, before?.metadata.labels ?? labels];
    return this.#hand
      .all<Service>(services, namespace)
      .filter(({ spec }) => spec.selector !== undefined && both.some((one) => matchesLabels(spec.selector ?? {}, one)))
      .map(keyOfObject);
  }

  sync(key: string): undefined {
    const service = this.#hand.find<Service>(services, refOf(key));
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const { selector, type } = service.spec;
    if (selector === undefined || type === 'ExternalName') return;
    const selected = this.#hand
      .all<Pod>(pods, service.metadata.namespace)
      .filter((pod) => matchesLabels(selector, pod.metadata.labels ?? {}))
      .filter((pod) => pod.status?.podIP !== undefined && !isOver(pod));
    // Pods of one template have one set of ports; two templates may differ, and then there are two slices.
    const byPorts = Map.groupBy(selected, (pod) => JSON.stringify(portsFor(service, pod)));
    const wanted = byPorts.size === 0 ? new Map([[JSON.stringify([]), [] as Pod[]]]) : byPorts;
    this.#reconcile(service, wanted);
  }

  #reconcile(service: Service, wanted: ReadonlyMap<string, readonly Pod[]>): void {
    const left = new Set(this.#slicesOf(service));
    for (const [text, selected] of wanted) {
      const ports = JSON.parse(text) as readonly SlicePort[];
      const found = [...left].find((slice) => isEqual(slice['ports'] ?? [], ports)) ?? [...left][0];
      if (found !== undefined) left.delete(found);
      this.#write(
        service,
        found,
        ports,
        selected.map((pod) => endpointOf(service, pod)),
      );
    }
    for (const slice of left) this.#hand.delete(endpointSlices, slice.metadata);
  }

  #slicesOf({ metadata }: Service): EndpointSlice[] {
    return this.#hand
      .all<EndpointSlice>(endpointSlices, metadata.namespace)
      .filter(
        ({ metadata: own }) => own.labels?.[SERVICE_NAME] === metadata.name && own.labels[MANAGED_BY] === OUR_NAME,
      );
  }

  #write(
    service: Service,
    found: EndpointSlice | undefined,
    ports: readonly SlicePort[],
    endpoints: readonly Endpoint[],
  ): void {
    const { name, namespace, labels } = service.metadata;
    const own = { [SERVICE_NAME]: name, [MANAGED_BY]: OUR_NAME };
    const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
    const wanted: Readonly<Record<string, string>> = { ...labels, ...own, ...headless };
    const content = { addressType: 'IPv4', endpoints, ports };
    if (found === undefined) {
      const metadata = {
        generateName: `${name}-`,
        ...(namespace === undefined ? {} : { namespace }),
        labels: wanted,
        ownerReferences: [controlledBy(service)],
      };
      this.#hand.create(endpointSlices, { metadata, ...content });
      return;
    }
    const isSame =
      isEqual(found.endpoints ?? [], endpoints) &&
      isEqual(found['ports'] ?? [], ports) &&
      isEqual(found.metadata.labels, wanted);
    if (isSame) return;
    this.#hand.update(endpointSlices, { ...found, metadata: { ...found.metadata, labels: wanted }, ...content });
  }
}

function endpointOf(service: Service, pod: Pod): Endpoint {
  const { name, namespace, uid } = pod.metadata;
  const serving = isReadyPod(pod);
  const terminating = isEnding(pod);
  const ready = fieldsAt(service, 'spec')['publishNotReadyAddresses'] === true || (serving && !terminating);
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready, serving, terminating },
    ...(nodeOf(pod) === undefined ? {} : { nodeName: nodeOf(pod) }),
    targetRef: { kind: 'Pod', name, namespace, uid },
  } as Endpoint;
}

/** The pod's own numbers for the Service's ports; one that it names and the pod does not have is left out. */
function portsFor({ spec }: Service, pod: Pod): readonly SlicePort[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = numberOf(port, pod);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function numberOf({ port, targetPort = port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const ports = pod.spec.containers.flatMap((container) => listAt(container, 'ports'));
  const named = ports
    .filter(isFields)
    .find((one) => one['name'] === targetPort && (one['protocol'] ?? 'TCP') === protocol);
  return typeof named?.['containerPort'] === 'number' ? named['containerPort'] : undefined;
}
