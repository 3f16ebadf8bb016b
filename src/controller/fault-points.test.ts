import { faultHook, flagFaultHook, readFaultPoint } from './fault-points.ts';

const write = (path: string) => ({ method: 'PATCH', path }) as const;
const status = write('/apis/serin.dev/v1alpha1/namespaces/shop/rollouts/checkout/status');

test('nothing is asked for without the variable', () => {
  expect(readFaultPoint(undefined)).toBeUndefined();
  expect(readFaultPoint('')).toBeUndefined();
});

test.each(['3', 'before:0', 'during:2', 'after:x'])('"%s" is refused with the accepted form', (text) => {
  expect(() => readFaultPoint(text)).toThrow('before:N or after:N');
});

test('the process dies before the write that was asked for, once', async () => {
  const deaths: number[] = [];
  const hook = faultHook({ when: 'before', write: 2 }, () => deaths.push(1));
  await hook.before(status);
  await hook.after(status);
  expect(deaths).toHaveLength(0);
  await hook.before(status);
  expect(deaths).toHaveLength(1);
  await hook.before(status);
  expect(deaths).toHaveLength(1);
});

test('the process dies after the write that succeeded', async () => {
  const deaths: number[] = [];
  const hook = faultHook({ when: 'after', write: 1 }, () => deaths.push(1));
  await hook.before(status);
  expect(deaths).toHaveLength(0);
  await hook.after(status);
  expect(deaths).toHaveLength(1);
});

test('the Lease and Events are not counted', async () => {
  const deaths: number[] = [];
  const hook = faultHook({ when: 'before', write: 1 }, () => deaths.push(1));
  await hook.before(write('/apis/coordination.k8s.io/v1/namespaces/serin-system/leases/serin'));
  await hook.before(write('/api/v1/namespaces/shop/events'));
  await hook.before(write('/api/v1/namespaces/shop/events/checkout.1'));
  expect(deaths).toHaveLength(0);
  await hook.before(write('/api/v1/namespaces/shop/services/events'));
  expect(deaths).toHaveLength(1);
});

test('changes of flags are counted by themselves', async () => {
  expect(readFaultPoint('after-flag:2')).toEqual({ when: 'after', of: 'flag', write: 2 });
  const deaths: string[] = [];
  const point = { when: 'after', of: 'flag', write: 2 } as const;
  const release = faultHook(point, () => deaths.push('release'));
  const flag = flagFaultHook(point, () => deaths.push('flag'));
  for (let count = 0; count < 3; count++) {
    await release.before(status);
    await release.after(status);
  }
  flag.before();
  flag.after();
  flag.before();
  expect(deaths).toEqual([]);
  flag.after();
  expect(deaths).toEqual(['flag']);
});
