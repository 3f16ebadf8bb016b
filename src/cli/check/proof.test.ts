/** What is foretold of a plan's steps, and how it is said. How near it comes to what happens is tested beside the judge. */
import { effectiveSpec } from '../../api/effective.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import type { ReleasePlan } from '../release-plan.ts';
import { type Proof, proofOf, type SeenTraffic, type StepProof } from './proof.ts';
import { futility, proofTable } from './proof-text.ts';
import { sampleCluster } from './sample-cluster.ts';

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' } as const;

function planWith(spec: Partial<RolloutSpec> = {}): ReleasePlan {
  const traffic = { service: 'checkout', routes: [{ kind: 'HTTPRoute' as const, name: 'checkout' }] };
  const effective = effectiveSpec({ targetRef: target, traffic, ...spec });
  return {
    namespace: 'shop',
    rollout: 'checkout',
    replicas: 10,
    steps: effective.strategy.steps.map(({ weightPercent, atLeastMs, check }) => ({
      weightPercent,
      kind: check === undefined ? 'step' : 'check',
      atLeastMs,
      canaryPods: 2,
      totalPods: 12,
    })),
    peakPods: 20,
    shortestMs: 0,
    pinned: [],
    reachable: [],
    refusals: [],
    effective,
  };
}

function proofFor(requestsPerSecond: number, failedShare: number, plan = planWith()): Proof {
  const requests = requestsPerSecond * 600;
  const traffic: SeenTraffic = {
    requestsPerSecond,
    failedShare,
    requests,
    failed: requests * failedShare,
    seenMs: 600_000,
    windowMs: 5_000,
    tellsPods: true,
  };
  const proof = proofOf(traffic, plan);
  if (proof === undefined) throw new Error('errors are judged here');
  return proof;
}

const brakeOf = ({ worse }: StepProof, wanted: string): number =>
  worse.find(({ version }) => version === wanted)?.brakeSeconds ?? Infinity;

test('a larger weight proves more, and harm that is larger is found sooner', () => {
  const [five, quarter, half] = proofFor(40, 0.001).steps;
  if (!five || !quarter || !half) throw new Error('there are three steps');
  const accepted = [five, quarter, half].map(({ acceptSeconds = Infinity }) => acceptSeconds);
  expect(accepted).toEqual(accepted.toSorted((one, other) => other - one));
  expect(five.canaryRequestsPerSecond).toBe(2);
  expect(brakeOf(five, '+5pp')).toBeLessThan(brakeOf(five, '+1pp'));
  expect(brakeOf(five, '+1pp')).toBeLessThan(brakeOf(five, '2x'));
  expect(brakeOf(quarter, '+1pp')).toBeLessThan(brakeOf(five, '+1pp'));
});

test('what ruleOut lets go on passes, and is said to', () => {
  const proof = proofFor(2000, 0.001);
  const [first] = proof.steps;
  expect(first?.worse.map(({ version, passes }) => [version, passes])).toEqual([
    ['+50%', true],
    ['2x', true],
    ['+1pp', false],
    ['+5pp', false],
  ]);
  expect(proofTable(proof).join('\n')).toContain('passes: ruleOut lets so little harm go on');
  expect(futility(proof)).toEqual([]);
});

test('a step that cannot be proven in time says what it would take, and which weight would do', () => {
  const [sentence, ...others] = futility(proofFor(40, 0.001));
  expect(sentence).toMatch(
    /^Step 1: at 2 canary requests a second \(5%\) a healthy version needs about \d+m to be acceptable, a doubling from 0\.1 % (about \d+h|more than a day) to prove; after 10m whenUnsure decides \(proceed\); consider weight 25 or whenUnsure: hold\.$/,
  );
  expect(others).toEqual([]);
  expect(proofTable(proofFor(40, 0.001))[1]).toMatch(/ \(\d+m\) +\(passes\) +\(passes\) /);
});

test('next to no traffic proves nothing at any weight', () => {
  const proof = proofFor(0.01, 0);
  expect(proof.steps.map(({ acceptSeconds, enoughPercent }) => [acceptSeconds, enoughPercent])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    [undefined, undefined],
  ]);
  expect(futility(proof)[2]).toContain(
    'needs more than a day to be acceptable, one that fails 1 % more than a day to be braked; after 10m whenUnsure',
  );
  expect(proofTable(proof)[1]).toMatch(/^1 +5% +0\.0005 +\(over 1d\) +- +- +\(/);
});

test('where nothing fails, nothing is said of twice as much', () => {
  expect(proofFor(100, 0).steps[0]?.worse.map(({ version }) => version)).toEqual(['+1pp', '+5pp']);
});

test('checks are no steps of it, and other metrics are named', () => {
  const latency = { latency: { tolerate: '10%', ruleOut: '2x + 1pp' } };
  const check = { check: { requests: [{ path: '/' }] } };
  const plan = planWith({
    strategy: { steps: [check, { weight: 20 }] },
    analysis: { metrics: [{ errors: {} }, latency] },
  });
  const proof = proofFor(100, 0.001, plan);
  expect(proof.steps.map(({ step, weightPercent }) => [step, weightPercent])).toEqual([[2, 20]]);
  expect(proofTable(proof).at(-1)).toBe('judged too, and not foretold: latency');
});

test('where errors are not judged nothing is foretold', () => {
  const plan = planWith({ analysis: { metrics: [{ latency: { tolerate: '10%', ruleOut: '2x + 1pp' } }] } });
  expect(proofOf(proofFor(100, 0).traffic, plan)).toBeUndefined();
});

describe('serin plan', () => {
  test('shows it in columns, and as data', async () => {
    const cluster = sampleCluster();
    expect(await cluster.serin('plan checkout')).toBe(0);
    expect(cluster.said.out).toMatch(
      /Proof\n {2}200 requests a second in the last 5m, 0\.1 % of them failed \(57 of 57000\)\n {2}STEP +WEIGHT +CANARY\/S +ACCEPTABLE +\+50% +2X +\+1PP +\+5PP\n {2}1 +5% +10 /,
    );
    const other = sampleCluster();
    await other.serin('plan checkout -o json');
    const { proof }: { proof: Proof } = JSON.parse(other.said.out);
    expect(proof).toMatchObject({ traffic: { requests: 57_000 }, steps: [{ weightPercent: 5 }, {}, {}] });
  });

  test.each([
    [
      'no traffic',
      { perSecond: 0, failedShare: 0 },
      /Proof\n {2}No request was counted in the last 5m, which proves nothing/,
    ],
    ['no series', undefined, /Proof\n {2}MetricSource main has no series for http_requests_total/],
  ])('says of %s in one sentence that nothing is known', async (_what, counted, words) => {
    const cluster = sampleCluster();
    cluster.counted = counted;
    expect(await cluster.serin('plan checkout')).toBe(0);
    expect(cluster.said.out).toMatch(words);
  });

  test('without a source has no such part', async () => {
    const cluster = sampleCluster();
    cluster.remove('metricsources/main');
    await cluster.serin('plan checkout');
    expect(cluster.said.out).not.toContain('Proof');
  });
});
