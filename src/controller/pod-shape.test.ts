import type { Pod } from '../workload/objects.ts';
import { shapeOf } from './pod-shape.ts';

const pod = (spec: object, metadata: object = {}) => ({ metadata: { name: 'a', ...metadata }, spec }) as unknown as Pod;
const asking = (cpu: string, memory: string, more: object = {}) => ({
  name: 'c',
  resources: { requests: { cpu, memory }, ...more },
});

test('a version asks for what all containers of a pod request together, sidecars and overhead too', () => {
  const containers = [asking('500m', '512Mi'), asking('250m', '256Mi')];
  const initContainers = [{ ...asking('250m', '256Mi'), restartPolicy: 'Always' }, asking('900m', '1Mi')];
  expect(shapeOf([pod({ containers, initContainers, overhead: { cpu: '100m', memory: '64Mi' } })])).toEqual({
    cpu: 1.1,
    memoryBytes: (1024 + 64) * 2 ** 20,
    gpu: 0,
  });
});

test('what runs before counts where it asks for more', () => {
  expect(shapeOf([pod({ containers: [asking('1', '1Gi')], initContainers: [asking('4', '1Mi')] })])).toEqual({
    cpu: 4,
    memoryBytes: 2 ** 30,
    gpu: 0,
  });
});

test('a limit without a request is the request; GPUs are counted; nothing asked for is nothing', () => {
  const limits = { cpu: '2', memory: '1Gi', 'nvidia.com/gpu': '2' };
  expect(shapeOf([pod({ containers: [{ name: 'c', resources: { limits } }] })])).toEqual({
    cpu: 2,
    memoryBytes: 2 ** 30,
    gpu: 2,
  });
  expect(shapeOf([pod({ containers: [{ name: 'c' }] })])).toEqual({ cpu: 0, memoryBytes: 0, gpu: 0 });
});

test('pods that end do not count, and without pods nothing is known', () => {
  const ending = pod({ containers: [asking('9', '9Gi')] }, { deletionTimestamp: '2026-11-24T00:00:00Z' });
  expect(shapeOf([ending, pod({ containers: [asking('1', '1Gi')] })])).toMatchObject({ cpu: 1 });
  expect(shapeOf([ending])).toBeUndefined();
});
