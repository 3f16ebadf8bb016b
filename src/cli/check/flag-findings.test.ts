/** What `serin check` and `serin plan` say of the flags that a Rollout may change. */
import { sampleCluster } from './sample-cluster.ts';
import { checkout, rolloutPath, statuses } from '../trial.ts';

const sources = '/apis/serin.dev/v1alpha1/flagsources';
const configMap = '/api/v1/namespaces/shop/configmaps/flags';
const file = JSON.stringify({
  flags: { 'new-pricing': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' } },
});
const rung = (variant = 'off') => [{ flag: { source: 'flags', name: 'new-pricing', variant } }, { rollback: {} }];

function shop(spec: object | undefined, onAnomaly: object[] = rung()) {
  const cluster = sampleCluster();
  const rollout = checkout(statuses.idle);
  cluster.api.put(rolloutPath, { ...rollout, spec: { ...rollout.spec, onAnomaly } });
  if (spec !== undefined) cluster.api.put(`${sources}/flags`, { metadata: { name: 'flags', uid: 'f' }, spec });
  cluster.api.put(configMap, {
    metadata: { name: 'flags', namespace: 'shop', uid: 'c' },
    data: { 'flags.json': file },
  });
  cluster.api.put('/api/v1/namespaces/shop', { metadata: { name: 'shop', uid: 'n', labels: { team: 'shop' } } });
  return {
    cluster,
    flags: async (): Promise<unknown[]> => {
      await cluster.serin('check checkout -o json');
      const { findings } = JSON.parse(cluster.said.out) as {
        findings: { area: string; mark: string; message: string }[];
      };
      return findings.filter(({ area }) => area === 'flags').map(({ mark, message }) => `${mark}: ${message}`);
    },
  };
}

const flagdFile = { flagdFile: { configMap: 'flags', key: 'flags.json' } };

test('a flag that is there, with its variant, in a cluster that lets Serin change it, is fine', async () => {
  expect(await shop(flagdFile).flags()).toEqual([
    "ok: Flag new-pricing of FlagSource flags has the variant off, and Serin's own account may change it in shop.",
  ]);
});

test('a variant that the flag does not have stands in the way', async () => {
  expect(await shop(flagdFile, rung('of')).flags()).toEqual([
    expect.stringMatching(/^fail: .*has no variant of of it, but on, off/),
  ]);
});

test('a source that is not there stands in the way', async () => {
  expect(await shop(undefined).flags()).toEqual([
    'fail: FlagSource flags does not exist; the platform team creates it, or correct the name in the Rollout.',
  ]);
});

test('a namespace that may not use the source is told so', async () => {
  const namespaces = { matchLabels: { team: 'cart' } };
  expect(await shop({ ...flagdFile, namespaces }).flags()).toEqual([
    expect.stringContaining('fail: Namespace shop may not use FlagSource flags'),
  ]);
  expect(await shop({ ...flagdFile, namespaces: { matchLabels: { team: 'shop' } } }).flags()).toEqual([
    expect.stringMatching(/^ok: /),
  ]);
});

test('what only the operator can ask is not known here', async () => {
  const flipt = { address: 'http://flipt:8080' };
  const auth = { secretRef: { namespace: 'serin-system', name: 'flipt' } };
  expect(await shop({ flipt }).flags()).toEqual([expect.stringMatching(/^unknown: .*only the operator asks/)]);
  expect(await shop({ flipt: { ...flipt, auth } }).flags()).toEqual([
    expect.stringMatching(/^unknown: .*with a credential/),
  ]);
});

test('a Rollout that changes no flag is not asked about any', async () => {
  const { cluster, flags } = shop(flagdFile, [{ rollback: {} }]);
  expect(await flags()).toEqual([]);
  expect(cluster.api.requests.some(({ path }) => path.startsWith(sources))).toBe(false);
});

test('plan names the rungs and the flags', async () => {
  const { cluster } = shop(flagdFile);
  await cluster.serin('plan checkout');
  expect(cluster.said.out).toContain(
    'then, one after the other while harm goes on: flag new-pricing of flags to off, observed for 2m at most; roll back',
  );
  expect(cluster.said.out).toMatch(/Flags\n {2}Flag new-pricing of FlagSource flags has the variant off/);
});
