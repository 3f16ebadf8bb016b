/** Templates whose pods never become ready, and the words in which the cluster says why; `…` stands for what differs. */
import type { Reason } from '../../src/api/reasons.ts';
import type { Fields } from './world.ts';

export interface PodFault {
  readonly input: string;
  /** Changes of the one container of the template. */
  readonly container: Fields;
  /** Changes of the pod beside its container. */
  readonly pod?: Fields;
  /** Default: 25s. */
  readonly podsReadyWithin?: string;
  readonly reason: Reason;
  readonly sentence: string;
}

export const quota = { name: 'licences', resource: 'example.com/licence' } as const;

export const podFaults: readonly PodFault[] = [
  {
    input: 'an image that is not there',
    container: { image: 'serin.test/workload:never-built' },
    reason: 'ImagePull',
    sentence:
      '0 of 1 pods became ready within 25s (ErrImageNeverPull: Container image "serin.test/workload:never-built" is not present with pull policy of Never).',
  },
  {
    input: 'a readiness probe that the program answers with 503',
    container: {
      env: [
        { name: 'VERSION', value: 'v2' },
        { name: 'NEVER_READY', value: '1' },
      ],
    },
    reason: 'NotReady',
    sentence:
      '0 of 1 pods became ready within 25s (container app: Readiness probe failed: HTTP probe failed with statuscode: 503).',
  },
  {
    input: 'a readiness probe at a port where nobody listens',
    container: { readinessProbe: { httpGet: { path: '/no-such-page', port: 9 }, periodSeconds: 1 } },
    reason: 'NotReady',
    sentence:
      '0 of 1 pods became ready within 25s (container app: Readiness probe failed: Get "http://…:9/no-such-page": dial tcp …:9: connect: connection refused).',
  },
  {
    input: 'a readiness probe whose command is not there',
    container: { readinessProbe: { exec: { command: ['/no-such-check'] }, periodSeconds: 1 } },
    reason: 'NotReady',
    sentence: '0 of 1 pods became ready within 25s (container app: Readiness probe errored …/no-such-check…).',
  },
  {
    input: 'a ConfigMap for the environment that does not exist',
    container: { envFrom: [{ configMapRef: { name: 'settings' } }] },
    reason: 'NotReady',
    sentence: '0 of 1 pods became ready within 25s (CreateContainerConfigError: configmap "settings" not found).',
  },
  {
    input: 'a ConfigMap for a volume that does not exist',
    container: { volumeMounts: [{ name: 'settings', mountPath: '/settings' }] },
    pod: { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] },
    reason: 'NotReady',
    sentence:
      '0 of 1 pods became ready within 25s (MountVolume.SetUp failed for volume "settings" : configmap "settings" not found).',
  },
  {
    input: 'a request that no node has room for',
    container: { resources: { requests: { cpu: '900' } } },
    reason: 'Unschedulable',
    sentence: '0 of 1 pods became ready within 25s (0/1 nodes are available: 1 Insufficient cpu…).',
  },
  {
    input: 'a quota that is used up',
    container: { resources: { requests: { [quota.resource]: '1' }, limits: { [quota.resource]: '1' } } },
    reason: 'QuotaExceeded',
    sentence:
      '0 of 1 pods became ready within 25s (pods are forbidden: exceeded quota: licences, requested: requests.example.com/licence=1, used: requests.example.com/licence=0, limited: requests.example.com/licence=0).',
  },
  {
    input: 'a program that ends at once, again and again',
    container: { command: ['/no-such-program'] },
    podsReadyWithin: '10m',
    reason: 'Crashes',
    sentence:
      '1 of 1 pods crash again and again (CrashLoopBackOff: container app ended with exit code 128 (StartError): …/no-such-program…), for 60s.',
  },
];
