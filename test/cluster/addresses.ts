/**
 * Where the parts of the local cluster listen. With a node everything is on one bridge of this machine (`serin0`): its own
 * address is the node's, so the host and the pods reach the API server, the gateway and Prometheus under one address, and
 * nothing else does. A control plane alone is on loopback.
 */

/** What kind of cluster the commands of this folder start and end: all parts, the control plane alone, or one in Docker. */
export type Layout = 'node' | 'control-plane' | 'docker';

export const layouts: readonly Layout[] = ['node', 'control-plane', 'docker'];

/** Of this process; `SERIN_TEST_LAYOUT` says it. */
export const layout: Layout = layouts.find((one) => one === process.env['SERIN_TEST_LAYOUT']) ?? 'node';

/** Number of the cluster, 0 to 9: clusters of different numbers run side by side and share only the build cache. */
export const slot = Number(process.env['SERIN_TEST_SLOT'] ?? '0');

/** First two octets of the networks used; settable, because a VPN may own the default. */
const network = process.env['SERIN_TEST_NETWORK'] ?? `10.${197 + slot}`;

export const nodeName = 'serin-node';
export const nodeAddress = layout === 'node' ? `${network}.0.1` : '127.0.0.1';
export const bridge = `serin${slot}`;
export const podSubnet = `${network}.0.0/20`;
export const podRange = { start: `${network}.0.16`, end: `${network}.15.254`, prefix: 20 };
export const serviceRange = `${network}.64.0/20`;
export const kubernetesServiceAddress = `${network}.64.1`;
export const dnsAddress = `${network}.64.10`;

function portOf(first: number): number {
  return first + 100 * slot + (layout === 'node' ? 0 : 1000);
}

/** Ports: none is a default of the program that uses it, so a cluster that already runs on the machine is not disturbed. */
export const ports = {
  etcd: portOf(23790),
  etcdPeer: portOf(23800),
  apiServer: portOf(26443),
  controllerManager: portOf(20257),
  scheduler: portOf(20259),
  kubelet: portOf(20250),
  kubeletHealth: portOf(20248),
  gateway: portOf(28080),
  gatewayMetrics: portOf(28082),
  prometheus: portOf(29090),
};

export const server = `https://${nodeAddress}:${ports.apiServer}`;
export const gatewayUrl = `http://${nodeAddress}:${ports.gateway}`;
export const gatewayMetricsUrl = `http://${nodeAddress}:${ports.gatewayMetrics}`;
export const prometheusUrl = `http://${nodeAddress}:${ports.prometheus}`;
