/** Objects that the API server does not take, and what kubectl says to whoever writes them. */
import { type Fields, type KubeObject, rolloutOf } from './world.ts';

export interface WrittenFault {
  readonly input: string;
  readonly object: KubeObject;
  /** The part of kubectl's words that says what to change. */
  readonly words: string;
}

const target = (more: Fields): KubeObject =>
  rolloutOf('checkout', { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout', ...more } });
const traffic = (more: Fields): KubeObject =>
  rolloutOf('checkout', {
    traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }], ...more },
  });
const strategy = (more: Fields): KubeObject => rolloutOf('checkout', { strategy: more });
const weights = (...all: readonly number[]): KubeObject => strategy({ steps: all.map((weight) => ({ weight })) });
const analysis = (more: Fields): KubeObject => rolloutOf('checkout', { analysis: more });
const source = (prometheus: Fields): KubeObject => ({
  apiVersion: 'serin.dev/v1alpha1',
  kind: 'MetricSource',
  metadata: { name: 'never-created' },
  spec: { prometheus },
});

export const writtenFaults: readonly WrittenFault[] = [
  {
    input: 'a StatefulSet',
    object: target({ kind: 'StatefulSet' }),
    words: 'spec.targetRef.kind: Unsupported value: "StatefulSet": supported values: "Deployment"',
  },
  {
    input: 'a DaemonSet',
    object: target({ kind: 'DaemonSet' }),
    words: 'spec.targetRef.kind: Unsupported value: "DaemonSet": supported values: "Deployment"',
  },
  {
    input: 'another API version',
    object: target({ apiVersion: 'extensions/v1beta1' }),
    words: 'spec.targetRef.apiVersion: Unsupported value: "extensions/v1beta1": supported values: "apps/v1"',
  },
  {
    input: 'a route of another kind',
    object: traffic({ routes: [{ kind: 'Ingress', name: 'checkout' }] }),
    words: 'spec.traffic.routes[0].kind: Unsupported value: "Ingress": supported values: "HTTPRoute"',
  },
  {
    input: 'more than 8 routes',
    object: traffic({ routes: Array.from({ length: 9 }, (_, at) => ({ kind: 'HTTPRoute', name: `route-${at}` })) }),
    words: 'spec.traffic.routes: Too many: 9: must have at most 8 items',
  },
  {
    input: '`alsoReachable` with the Service itself',
    object: traffic({ alsoReachable: ['checkout'] }),
    words:
      'alsoReachable names the Service of traffic.service itself: remove it there, its weights decide who reaches the new version.',
  },
  {
    input: 'weights that do not rise',
    object: weights(25, 5),
    words: 'each step needs a higher weight than the step before it: sort the steps and remove repeated weights.',
  },
  {
    input: 'a weight above 100',
    object: weights(150),
    words: 'a weight is a percentage of the requests: at least 0.01, at most 100.',
  },
  {
    input: 'a weight of 0',
    object: weights(0),
    words: 'a weight is a percentage of the requests: at least 0.01, at most 100.',
  },
  {
    input: 'a weight that is text',
    object: strategy({ steps: [{ weight: '5%' }] }),
    words: 'spec.strategy.steps[0].weight: Invalid value: "string": … must be of type number: "string"',
  },
  {
    input: 'an empty list of steps',
    object: strategy({ steps: [] }),
    words: 'spec.strategy.steps: Invalid value: 0: … should have at least 1 items',
  },
  {
    input: 'more than 20 steps',
    object: weights(...Array.from({ length: 21 }, (_, at) => at + 1)),
    words: 'spec.strategy.steps: Too many: 21: must have at most 20 items',
  },
  {
    input: 'a duration that is none',
    object: strategy({ bake: 'half an hour' }),
    words: 'spec.strategy.bake: Invalid value: "half an hour": … should match …',
  },
  {
    input: 'a confidence of 100',
    object: analysis({ confidence: 100 }),
    words:
      'confidence lies between 90 and 99.999 percent: certainty takes for ever, and below 90 every tenth release is noise.',
  },
  {
    input: 'a tolerance without a unit',
    object: analysis({ metrics: [{ errors: { tolerate: '10' } }] }),
    words: 'spec.analysis.metrics[0].errors.tolerate: Invalid value: "10": … should match …',
  },
  {
    input: 'silence of the source as a reason to go on',
    object: analysis({ onSourceDown: { do: 'proceed' } }),
    words: 'spec.analysis.onSourceDown.do: Unsupported value: "proceed": supported values: "hold", "rollback"',
  },
  {
    input: 'a field that does not exist',
    object: rolloutOf('checkout', { stratgy: {} }),
    words: 'strict decoding error: unknown field "spec.stratgy"',
  },
  {
    input: 'a MetricSource whose address is no URL',
    object: source({ address: 'prometheus:9090' }),
    words: 'spec.prometheus.address: Invalid value: "prometheus:9090": … should match …',
  },
  {
    input: 'a MetricSource with a password in its address',
    object: source({ address: 'https://bob:secret@prometheus:9090' }),
    words: 'spec.prometheus.address: Invalid value: … should match …',
  },
];
