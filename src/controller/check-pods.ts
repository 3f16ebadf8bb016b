/**
 * Says which pods of a new version a check may call, and where: only ready pods that the canary's own ReplicaSet controls, at
 * the address that the kubelet wrote. Whoever may write a Rollout must not choose whom Serin calls.
 */
import { BlockList, isIP } from 'node:net';
import type { Service } from '../traffic/objects.ts';
import type { Pod } from '../workload/objects.ts';

export interface PodAddress {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A number, or the name of a port of a container. */
export type PodPort = number | string;

/** More would say the same again: what is wrong with a version is wrong in each of its pods. */
const MOST_PODS = 3;

/** Addresses of the node itself or of nobody: no pod of a tenant has one. */
const notPods = new BlockList();
notPods.addSubnet('0.0.0.0', 8, 'ipv4');
notPods.addSubnet('127.0.0.0', 8, 'ipv4');
notPods.addSubnet('169.254.0.0', 16, 'ipv4');
notPods.addSubnet('224.0.0.0', 3, 'ipv4');
notPods.addAddress('::', 'ipv6');
notPods.addAddress('::1', 'ipv6');
notPods.addSubnet('fe80::', 10, 'ipv6');
notPods.addSubnet('ff00::', 8, 'ipv6');

/** Up to three, in the order of their names; none that has no such port. */
export function podsToAsk(pods: readonly Pod[], port: PodPort): readonly PodAddress[] {
  return pods
    .filter(isReady)
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .flatMap((pod) => {
      const number = typeof port === 'number' ? port : portNamed(pod, port);
      const address = ownAddressOf(pod);
      return number === undefined || address === undefined ? [] : [{ name: pod.metadata.name, address, port: number }];
    })
    .slice(0, MOST_PODS);
}

/** Why none of the pods that are ready can be asked, in a sentence; undefined while none is ready. */
export function whyNobody(pods: readonly Pod[], port: PodPort): string | undefined {
  const ready = pods.filter(isReady);
  if (ready.length === 0) return undefined;
  if (ready.some((pod) => ownAddressOf(pod) !== undefined))
    return `no container of the new version has a port that is named ${port}.`;
  return 'the pods of the new version have no addresses of their own (hostNetwork), and Serin calls no node.';
}

function isReady({ metadata, status }: Pod): boolean {
  const isSaid = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  return isSaid && metadata.deletionTimestamp === undefined;
}

/**
 * The address that is the pod's alone. Undefined: it has none yet, or is on the network of its node, where what listens is not
 * the tenant's.
 */
export function ownAddressOf({ spec, status }: Pod): string | undefined {
  const { podIP } = status ?? {};
  return podIP !== undefined && spec['hostNetwork'] !== true && isOfPods(podIP) ? podIP : undefined;
}

/** An address that pods of tenants have: none of the node's own, and none of nobody's. */
function isOfPods(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !notPods.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

type WithPorts = Pod['spec']['containers'][number] & {
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
};

export function portNamed({ spec }: Pod, name: string): number | undefined {
  const containers: readonly WithPorts[] = [...spec.containers, ...(spec.initContainers ?? [])];
  return containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === name)?.containerPort;
}

/** The port of the pods behind a Service: the one that the routes name, else its first for TCP. */
export function targetPortOf(service: Service | undefined, routed: number | undefined): PodPort | undefined {
  const ports = (service?.spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  const chosen = ports.find(({ port }) => port === routed) ?? ports[0];
  return chosen?.targetPort ?? chosen?.port;
}
