/** What a suite is told when the cluster lacks what it needs, and when there is none. */
import { openCluster } from './cluster.ts';
import { type Has, missing, notRun } from './needs.ts';

const nothing: Has = {
  admission: false,
  routes: false,
  pods: false,
  gateway: false,
  prometheus: false,
  audit: false,
  people: false,
  webhooks: false,
};

test('a cluster that has everything is fit, and one that lacks something says what', () => {
  const cluster = { provider: 'control-plane', has: { ...nothing, routes: true } };
  expect(missing(cluster, [])).toBeUndefined();
  expect(missing(cluster, ['routes'])).toBeUndefined();
  expect(missing(cluster, ['routes', 'gateway', 'prometheus'])).toBe(
    'needs a gateway, a Prometheus; the cluster here (control-plane) has none',
  );
});

test('the name of what is skipped ends with the reason', () => {
  expect(notRun('a suite', 'needs a gateway')).toBe('a suite (did not run: needs a gateway)');
});

describe('where no provider has a cluster', () => {
  const before = { ...process.env };

  beforeEach(() => {
    delete process.env['SERIN_TEST_KUBECONFIG'];
    delete process.env['SERIN_TEST_CLUSTER'];
    Object.assign(process.env, { SERIN_TEST_PROVIDER: 'control-plane', KUBEBUILDER_ASSETS: '/nowhere' });
  });
  afterEach(() => {
    for (const name of ['SERIN_TEST_KUBECONFIG', 'SERIN_TEST_CLUSTER', 'SERIN_TEST_PROVIDER', 'KUBEBUILDER_ASSETS']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  test('suites get the reason instead', async () => {
    expect(await openCluster(['gateway'])).toEqual({ unavailable: expect.stringMatching(/^no cluster: .*control/i) });
  });

  test('it is an error when a cluster is required', async () => {
    process.env['SERIN_TEST_CLUSTER'] = 'required';
    await expect(openCluster()).rejects.toThrow(/^no cluster: /);
  });

  test('it is no error when none is wanted', async () => {
    process.env['SERIN_TEST_CLUSTER'] = 'none';
    expect(await openCluster()).toEqual({ unavailable: 'no cluster wanted (SERIN_TEST_CLUSTER=none)' });
  });

  test('a provider that does not exist is an error with the names of those that do', async () => {
    process.env['SERIN_TEST_PROVIDER'] = 'minikube';
    await expect(openCluster()).rejects.toThrow('it is one of local, docker, control-plane');
  });
});
