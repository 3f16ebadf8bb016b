import { ownedBy, pod, replicaSet } from './fixtures.ts';
import type { Pod, PodEvent } from './objects.ts';
import { isTelling, wordsOfEvents } from './pod-events.ts';
import { silentPods, troubleOf } from './pods.ts';

const set = replicaSet('aaa');
const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', message: 'not ready: [app]' }));

function unready(state: object, spec: object = {}, name = 'a'): Pod {
  const containerStatuses = [{ name: 'app', ready: false, restartCount: 0, state }];
  return pod(ownedBy(set), name, { status: { conditions, containerStatuses }, spec });
}

const running = (spec: object = {}): Pod => unready({ running: {} }, spec);
const notCreated = (): Pod => unready({ waiting: { reason: 'ContainerCreating' } });

function event(reason: string, message: string, second = 1, fieldPath?: string): PodEvent {
  const involvedObject = { uid: 'uid-a', ...(fieldPath === undefined ? {} : { fieldPath }) };
  return { reason, message, lastTimestamp: `2026-01-01T00:00:0${second}Z`, involvedObject };
}

const noMap = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found';
const answered503 = 'Readiness probe failed: HTTP probe failed with statuscode: 503';

describe('what the kubelet says in Events alone', () => {
  test('the answer of a failing probe, and of which container', () => {
    const told = [event('Unhealthy', answered503, 1, 'spec.containers{app}')];
    const words = `container app: ${answered503}`;
    expect(troubleOf(set, [running()], told)).toEqual({ reason: 'NotReady', words });
  });

  test.each([
    ['FailedMount', noMap],
    ['FailedAttachVolume', 'AttachVolume.Attach failed for volume "pvc-1" : volume is in use by another node'],
  ])('%s', (reason, message) => {
    expect(troubleOf(set, [notCreated()], [event(reason, message)])).toEqual({ reason: 'NotReady', words: message });
  });

  test('a sandbox that cannot be had, without the number that each try has anew', () => {
    const failed = (id: string) =>
      event('FailedCreatePodSandBox', `Failed to create pod sandbox: network for sandbox "${id}" failed`);
    const words = 'Failed to create pod sandbox: network for sandbox "…" failed';
    expect(wordsOfEvents(notCreated(), [failed('0123456789abcdef'.repeat(4))])).toBe(words);
  });

  test('the newest, and the cause before a summary of it', () => {
    const summary = 'Unable to attach or mount volumes: unmounted volumes=[settings]: timed out';
    const told = [event('FailedMount', 'older', 1), event('FailedMount', noMap, 2), event('FailedMount', summary, 3)];
    expect(wordsOfEvents(notCreated(), told)).toBe(noMap);
    expect(wordsOfEvents(notCreated(), told.slice(2))).toBe(summary);
  });

  test('nothing of another pod, and nothing of what is over', () => {
    const other = { ...event('Unhealthy', answered503), involvedObject: { uid: 'uid-b' } };
    expect(wordsOfEvents(running(), [other, event('FailedMount', noMap)])).toBeUndefined();
    expect(wordsOfEvents(notCreated(), [event('Unhealthy', answered503)])).toBeUndefined();
  });

  test('of all that is told about pods, only this', () => {
    const reasons = ['Unhealthy', 'FailedMount', 'BackOff', 'Killing', 'FailedScheduling', 'ProbeWarning'];
    expect(reasons.filter((reason) => isTelling(event(reason, '')))).toEqual(['Unhealthy', 'FailedMount']);
    expect(isTelling({ involvedObject: {} })).toBe(false);
  });
});

describe('what the command of a probe wrote is not shown', () => {
  const secret = 'Readiness probe failed: login with hunter2 refused';
  const hidden = 'Readiness probe failed (what its command wrote is in the Events of the pod)';
  const exec = { exec: { command: ['check'] } };
  const withProbe = (probe: object) => running({ containers: [{ name: 'app', ...probe }] });

  test.each([
    ['of this container', 'spec.containers{app}', `container app: ${hidden}`],
    ['of a container that is not named', undefined, hidden],
  ])('%s', (_whose, fieldPath, words) => {
    const told = [event('Unhealthy', secret, 1, fieldPath)];
    expect(wordsOfEvents(withProbe({ readinessProbe: exec }), told)).toBe(words);
  });

  test('of a sidecar', () => {
    const sidecars = { containers: [{ name: 'app' }], initContainers: [{ name: 'proxy', readinessProbe: exec }] };
    const told = [event('Unhealthy', secret, 1, 'spec.initContainers{proxy}')];
    expect(wordsOfEvents(running(sidecars), told)).toBe(`container proxy: ${hidden}`);
  });

  test('in words that no kubelet is known to use', () => {
    const told = [event('Unhealthy', 'the probe said hunter2', 1, 'spec.containers{app}')];
    expect(wordsOfEvents(withProbe({ livenessProbe: exec }), told)).not.toContain('hunter2');
  });

  test('but why it could not be run is', () => {
    const errored = 'Readiness probe errored and resulted in unknown state: exec: "check": not found';
    const told = [event('Unhealthy', errored, 1, 'spec.containers{app}')];
    expect(wordsOfEvents(withProbe({ readinessProbe: exec }), told)).toBe(`container app: ${errored}`);
  });

  test('also where many Events were made into one', () => {
    const combined = (message: string) => [event('Unhealthy', `(combined from similar events): ${message}`)];
    expect(wordsOfEvents(withProbe({ readinessProbe: exec }), combined(secret))).toBe(hidden);
    expect(wordsOfEvents(running(), combined(answered503))).toBe(answered503);
  });

  test('but what a request got is, beside a command of another probe', () => {
    const both = withProbe({ livenessProbe: exec, readinessProbe: { httpGet: { port: 8080 } } });
    const told = [event('Unhealthy', answered503, 1, 'spec.containers{app}')];
    expect(wordsOfEvents(both, told)).toBe(`container app: ${answered503}`);
  });
});

test('Events are asked about pods that do not say themselves why they are not ready, the oldest first', () => {
  const aged = (name: string, creationTimestamp: string, state: object = { running: {} }): Pod => {
    const one = unready(state, {}, name);
    return { ...one, metadata: { ...one.metadata, creationTimestamp } };
  };
  const pods = [
    aged('young', '2026-01-01T00:00:02Z'),
    aged('old', '2026-01-01T00:00:01Z'),
    aged('crashed', '2026-01-01T00:00:00Z', { waiting: { reason: 'CrashLoopBackOff' } }),
    pod(ownedBy(set), 'ready'),
  ];
  expect(silentPods(pods).map(({ metadata }) => metadata.name)).toEqual(['old', 'young']);
});
