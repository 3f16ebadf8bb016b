/** Finds the Gateway that the demo's route can hang on, and the address where it answers. It only reads. */
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, keyOf, type ResourceKind } from '../../kube/resources.ts';
import { Missing } from './missing.ts';

interface Listener {
  readonly protocol: string;
  readonly port: number;
  readonly hostname?: string;
  readonly allowedRoutes?: { readonly namespaces?: { readonly from?: string } };
}

interface Gateway extends KubeObject {
  readonly spec: { readonly listeners?: readonly Listener[] };
  readonly status?: { readonly addresses?: readonly { readonly value?: string }[] };
}

const gateways: ResourceKind = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  plural: 'gateways',
  kind: 'Gateway',
  namespaced: true,
};

export interface Way {
  readonly gateway: { readonly name: string; readonly namespace: string };
  /** "http://10.0.0.7:80" */
  readonly address: string;
  /** Hosts below it are this gateway's: "example.com". */
  readonly domain: string;
}

/**
 * @param wished as "namespace/name".
 * @param address instead of the one in the status of the Gateway.
 * @throws Missing
 */
export async function findGateway(
  client: KubeClient,
  { wished, address }: { readonly wished?: string | undefined; readonly address?: string | undefined },
): Promise<Way> {
  const all = await gatewaysIn(client);
  const gateway = wished === undefined ? onlyOne(all) : all.find(({ metadata }) => keyOf(metadata) === wished);
  if (gateway === undefined) throw new Missing(`there is no Gateway ${wished ?? ''}; ${listed(all)}`);
  const listener = (gateway.spec.listeners ?? []).find(isOpen);
  if (listener === undefined)
    throw new Missing(
      `Gateway ${keyOf(gateway.metadata)} has no HTTP listener that takes routes of every namespace (allowedRoutes.namespaces.from: All): name another one with --gateway`,
    );
  const { name, namespace = '' } = gateway.metadata;
  return {
    gateway: { name, namespace },
    address: address ?? addressOf(gateway, listener),
    domain: listener.hostname?.replace('*.', '') ?? 'example.com',
  };
}

async function gatewaysIn(client: KubeClient): Promise<readonly Gateway[]> {
  try {
    return (await client.list<Gateway>(gateways)).items;
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    throw new Missing('this cluster does not know the Gateway API: install a gateway that serves it', { cause: error });
  }
}

function onlyOne(all: readonly Gateway[]): Gateway {
  const [only, ...others] = all;
  if (only === undefined) throw new Missing('this cluster has no Gateway: install one that serves the Gateway API');
  if (others.length > 0) throw new Missing(`name a Gateway with --gateway; ${listed(all)}`);
  return only;
}

function listed(all: readonly Gateway[]): string {
  const names = all.slice(0, 5).map(({ metadata }) => keyOf(metadata));
  return `there are ${all.length}: ${names.join(', ')}${all.length > names.length ? ', …' : ''}`;
}

/** A listener with one host of its own serves somebody already. */
function isOpen({ protocol, hostname, allowedRoutes }: Listener): boolean {
  const takesAll = allowedRoutes?.namespaces?.from === 'All';
  return protocol === 'HTTP' && takesAll && (hostname === undefined || hostname.startsWith('*.'));
}

function addressOf({ metadata, status }: Gateway, { port }: Listener): string {
  const value = status?.addresses?.find((one) => one.value !== undefined && one.value !== '')?.value;
  if (value === undefined)
    throw new Missing(
      `Gateway ${keyOf(metadata)} has no address in its status: say where it answers with --address http://…`,
    );
  return `http://${value.includes(':') ? `[${value}]` : value}:${port}`;
}
