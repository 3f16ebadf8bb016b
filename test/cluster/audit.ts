/**
 * The API server's audit policy: the log is the measuring instrument of the tests. Writes come with their bodies, reads
 * with who and what; what the cluster's own components read all the time is left out.
 */
import { writeFileSync } from 'node:fs';
import { clusterPath } from './state.ts';

const components = [
  'system:apiserver',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'serin-test:traefik',
  'serin-test:prometheus',
  'serin-test:stand-in',
];
const reads = ['get', 'list', 'watch'];

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  omitManagedFields: true,
  rules: [
    { level: 'None', nonResourceURLs: ['/*'] },
    { level: 'None', users: components, verbs: reads },
    { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'], verbs: reads },
    {
      level: 'None',
      users: components,
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    {
      level: 'None',
      userGroups: ['system:nodes'],
      resources: [
        { group: 'coordination.k8s.io', resources: ['leases'] },
        { group: '', resources: ['nodes/status', 'serviceaccounts/token'] },
      ],
    },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'serviceaccounts/token', 'events'] },
        { group: 'authentication.k8s.io' },
        { group: 'events.k8s.io' },
      ],
    },
    { level: 'Metadata', verbs: reads },
    {
      level: 'RequestResponse',
      resources: [{ group: 'apps' }, { group: 'gateway.networking.k8s.io' }, { group: 'serin.dev' }],
    },
    { level: 'RequestResponse', resources: [{ group: '', resources: ['services'] }] },
    { level: 'Request' },
  ],
};

/** JSON lines, one a request, times to the microsecond. */
export function auditLogPath(): string {
  return clusterPath('logs', 'audit.jsonl');
}

/** Writes the policy and gives the API server's flags for it; blocking mode, so that a request that was answered is in the log. */
export function auditFlags(): string[] {
  const path = clusterPath('control-plane', 'audit-policy.json');
  writeFileSync(path, JSON.stringify(policy, undefined, 2));
  const log = [`--audit-log-path=${auditLogPath()}`, '--audit-log-format=json', '--audit-log-mode=blocking'];
  return [`--audit-policy-file=${path}`, ...log, '--audit-log-maxsize=2000'];
}
