import { viewDeployment } from './deployment.ts';
import { byRecord, deployment } from './fixtures.ts';

const pausedFields = (manager: string) => ({
  manager,
  operation: 'Update',
  fieldsV1: { 'f:spec': { 'f:paused': {} } },
});

test('a settled Deployment is shown with what the API server says and the defaults it would write', () => {
  const progressing = {
    type: 'Progressing',
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    lastUpdateTime: '2026-01-02T00:00:00Z',
  };
  const view = viewDeployment(
    deployment({}, { labels: { 'serin.dev/attached': 'true' } }, { availableReplicas: 4, conditions: [progressing] }),
    [],
  );
  expect(view).toEqual({
    uid: 'deployment-uid-1',
    generation: 3,
    observedGeneration: 3,
    replicas: 4,
    paused: false,
    held: false,
    attached: 'yes',
    progressing: { status: 'True', reason: 'NewReplicaSetAvailable' },
    progressedAtMs: Date.UTC(2026, 0, 2),
    progressDeadlineMs: 600_000,
    deadlineLifted: false,
    createdAtMs: Date.UTC(2026, 0, 1),
    availableReplicas: 4,
    liveHash: expect.stringMatching(/^[a-z0-9]{10}$/),
    liveImage: 'shop/checkout:1',
    strategyType: 'RollingUpdate',
    maxSurge: '25%',
    revisionHistoryLimit: 10,
    selectorMentionsHash: false,
  });
});

describe('who paused it', () => {
  test('a person, by their field manager', () => {
    const paused = deployment({ paused: true }, { managedFields: [pausedFields('kubectl-rollout')] });
    expect(viewDeployment(paused, [])).toMatchObject({ paused: true, held: false, pausedBy: 'kubectl-rollout' });
  });

  test('nobody else, when it is held under our mark, whoever’s write the guard paused', () => {
    const metadata = { annotations: { 'serin.dev/held': 'true' }, managedFields: [pausedFields('argocd-controller')] };
    const view = viewDeployment(deployment({ paused: true }, metadata), []);
    expect(view).toMatchObject({ paused: true, held: true });
    expect(view.pausedBy).toBeUndefined();
  });

  test('nobody else, when an earlier Rollout left it paused', () => {
    const left = deployment({ paused: true }, { managedFields: [pausedFields('serin')] });
    expect(viewDeployment(left, []).pausedBy).toBeUndefined();
  });

  test('somebody, when the owners of fields are not known', () => {
    expect(viewDeployment(deployment({ paused: true }), []).pausedBy).toBe('an unknown client');
  });
});

describe('who else holds it', () => {
  const cases: [string, Parameters<typeof deployment>[1], string][] = [
    [
      'its owner',
      { ownerReferences: [{ ...byRecord, kind: 'Canary', name: 'checkout' }] },
      'its owner, Canary shop/checkout',
    ],
    [
      'Argo Rollouts',
      { annotations: { 'rollout.argoproj.io/workload-generation': '2' } },
      'Argo Rollouts (annotation rollout.argoproj.io/workload-generation)',
    ],
    [
      'Kruise',
      { labels: { 'rollouts.kruise.io/workload-type': 'deployment' } },
      'Kruise Rollouts (label rollouts.kruise.io/workload-type)',
    ],
  ];
  test.each(cases)('%s', (_who, metadata, words) => {
    expect(viewDeployment(deployment({}, metadata), []).heldByOther).toBe(words);
  });

  test('another Rollout that names it, and none that names another Deployment', () => {
    const claim = { tool: 'Argo Rollouts', rollout: 'shop/checkout', deployment: 'checkout' };
    expect(viewDeployment(deployment(), [claim]).heldByOther).toBe('Argo Rollouts (Rollout shop/checkout)');
    expect(viewDeployment(deployment(), [{ ...claim, deployment: 'cart' }]).heldByOther).toBeUndefined();
  });

  test('Argo CD, which only delivers it, does not count', () => {
    const delivered = deployment(
      {},
      { annotations: { 'argocd.argoproj.io/tracking-id': 'x' }, labels: { app: 'checkout' } },
    );
    expect(viewDeployment(delivered, []).heldByOther).toBeUndefined();
  });
});

const surge = (strategy: NonNullable<Parameters<typeof deployment>[0]>['strategy']) =>
  viewDeployment(deployment(strategy === undefined ? {} : { strategy }), []).maxSurge;

describe('what it is set to', () => {
  test('a broken glass is seen', () => {
    expect(viewDeployment(deployment({}, { labels: { 'serin.dev/attached': 'released' } }), []).attached).toBe(
      'released',
    );
    expect(viewDeployment(deployment(), []).attached).toBe('no');
  });

  test('a selector that mentions the hash is seen in labels and in expressions', () => {
    const expression = { matchExpressions: [{ key: 'pod-template-hash', operator: 'Exists' }] };
    expect(viewDeployment(deployment({ selector: expression }), []).selectorMentionsHash).toBe(true);
    const label = { matchLabels: { 'pod-template-hash': 'x' } };
    expect(viewDeployment(deployment({ selector: label }), []).selectorMentionsHash).toBe(true);
  });

  test('maxSurge is text; with Recreate there is no limit to surge within', () => {
    expect(surge({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } })).toBe('1');
    expect(surge({ type: 'RollingUpdate', rollingUpdate: { maxSurge: '30%' } })).toBe('30%');
    expect(surge({ type: 'Recreate' })).toBe('100%');
  });
});
