import { builtInDefaults } from '../api/effective.ts';
import { exposureWords, sharedPods, shareOfShared, sharingOf } from './sharing.ts';
import { attemptOf, atRest } from './sample-world.ts';

const routed = atRest().spec;
const behindService = { ...routed, traffic: { ...routed.traffic, routes: [] } };
const { service: _none, ...withoutService } = behindService.traffic;
const workers = { ...routed, traffic: withoutService };

test('with routes their weights count, without them the pods, with or without a Service', () => {
  expect([routed, behindService, workers].map(sharingOf)).toEqual(['routes', 'service', 'pods']);
});

test.each([
  [5, 4, 1],
  [25, 4, 1],
  [50, 4, 4],
  [25, 30, 10],
  [5, 100, 5],
  [100, 4, 4],
  [75, 10, 10],
  [1, 1, 1],
  [0, 4, 0],
  [25, 0, 0],
])('%s%% beside %s pods are %s pods: one at least, as many as stable at most', (weight, replicas, pods) => {
  expect(sharedPods(weight, replicas)).toBe(pods);
});

test('what people read are pods, and the share that they come to', () => {
  const attempt = attemptOf({ spec: behindService });
  expect(exposureWords(attempt, builtInDefaults.stepWeightPercents[0], 4)).toBe(
    '1 of 5 pods behind Service shop, about 20% of requests, run new',
  );
  expect(exposureWords(attemptOf({ spec: workers }), 50, 4)).toBe('4 of 8 pods run new');
  expect(exposureWords(attemptOf(), 25, 4)).toBe('25% of requests go to new');
  expect(shareOfShared(1, 2)).toBe(33.33);
});
