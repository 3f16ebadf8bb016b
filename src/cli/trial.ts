/** What tests of the commands run against: an API in memory, a terminal that keeps what was said, a clock moved by hand. */
import type { RolloutStatus } from '../api/rollout-status.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeRequest, Transport } from '../kube/transport.ts';
import type { RolloutObject } from './objects.ts';
import { run } from './program.ts';
import { sessionOn, type Surroundings } from './session.ts';

type Json = Readonly<Record<string, unknown>>;

/** Objects by path; a list is every object directly below its path, in all namespaces where the path names none. */
class ApiInMemory implements Transport {
  readonly objects = new Map<string, Json>();
  readonly requests: KubeRequest[] = [];
  /** Runs before each request; what it throws is the answer. */
  before: (request: KubeRequest) => void = () => {};
  /** What is no object: reviews, dry runs, proxied requests. Undefined leaves the answer to the objects. */
  respond: (request: KubeRequest) => object | undefined = () => undefined;
  isClosed = false;

  put(path: string, object: object): void {
    this.objects.set(path, { ...object });
  }

  async request<T>(request: KubeRequest): Promise<T> {
    this.requests.push(request);
    this.before(request);
    const response = this.respond(request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as below
    if (response !== undefined) return structuredClone(response) as T;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the real transport: the caller says what it asked for
    return structuredClone(request.method === 'POST' ? this.#create(request) : this.#read(request)) as T;
  }

  stream(request: KubeRequest): Promise<AsyncIterable<string>> {
    return Promise.reject(refusal(request, 'Unavailable', 503, 'no watches here'));
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #create(request: KubeRequest): Json {
    const body: Json = { ...Object(request.body) };
    const metadata: Json = { ...Object(body['metadata']) };
    const name = `${String(metadata['generateName'])}x7k2p`;
    const created = { ...body, metadata: { ...metadata, name, uid: `uid-${this.objects.size}`, resourceVersion: '1' } };
    this.put(`${request.path}/${name}`, created);
    return created;
  }

  #read(request: KubeRequest): Json {
    const found = this.objects.get(request.path);
    if (found !== undefined) return found;
    const plural = request.path.slice(request.path.lastIndexOf('/') + 1);
    if (!isCollection(request.path)) {
      const kind = request.path.split('/').at(-2);
      throw refusal(request, 'NotFound', 404, `${kind}.serin.dev "${plural}" not found`);
    }
    const items = [...this.objects].filter(([path]) => isBelow(path, request.path)).map(([, object]) => object);
    return { metadata: { resourceVersion: '9' }, items };
  }
}

/** `/apis/<group>/<version>[/namespaces/<ns>]/<plural>` or the same below `/api/v1`. */
function isCollection(path: string): boolean {
  return /^\/(api|apis\/[^/]+)\/[^/]+(\/namespaces\/[^/]+)?\/[^/]+$/.test(path);
}

function isBelow(path: string, collection: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+/, '') === collection;
}

/** An answer of the API server, as the real transport throws it. */
export function refusal(
  { action, path }: KubeRequest,
  code: KubeError['code'],
  httpStatus: number,
  said: string,
): KubeError {
  return new KubeError(`${action ?? path}: the API server refused: ${said}`, {
    code,
    retry: 'never',
    httpStatus,
    reason: code,
  });
}

export interface Trial {
  readonly api: ApiInMemory;
  readonly clock: ManualClock;
  readonly around: Surroundings;
  /** What was written to the two streams so far. */
  readonly said: { out: string; err: string };
  /** Runs a command line as a user would type it; gives the exit code. */
  readonly serin: (line: string) => Promise<number>;
}

export interface TrialOptions {
  readonly isInteractive?: boolean;
  readonly files?: Readonly<Record<string, string>>;
  readonly programName?: string;
  /** No cluster can be found. */
  readonly hasNoCluster?: boolean;
}

export function trial({
  isInteractive = false,
  files = {},
  programName = 'serin',
  hasNoCluster = false,
}: TrialOptions = {}): Trial {
  const api = new ApiInMemory();
  const clock = new ManualClock(Date.parse('2026-11-24T12:00:00Z'));
  const said = { out: '', err: '' };
  const around: Surroundings = {
    terminal: {
      isInteractive,
      columns: 100,
      hasColour: false,
      print: (text) => void (said.out += `${text}\n`),
      complain: (text) => void (said.err += `${text}\n`),
      draw: (text) => void (said.out += text),
    },
    clock,
    random: () => 0.5,
    programName,
    async open(options) {
      if (hasNoCluster) throw new KubeError('no kubeconfig found', { code: 'Unauthorized', retry: 'never' });
      return sessionOn(api, options.namespace ?? 'shop');
    },
    async readText(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return text;
    },
  };
  return {
    api,
    clock,
    around,
    said,
    serin: (line) => run(line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [], around),
  };
}

export const rolloutPath = '/apis/serin.dev/v1alpha1/namespaces/shop/rollouts/checkout';

/** Rollout shop/checkout as the API server returns it. */
export function checkout(status?: RolloutStatus, generation = 1): RolloutObject {
  return {
    apiVersion: 'serin.dev/v1alpha1',
    kind: 'Rollout',
    metadata: {
      name: 'checkout',
      namespace: 'shop',
      uid: 'rollout-uid',
      resourceVersion: '5',
      generation,
      creationTimestamp: '2026-11-21T12:00:00Z',
    },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
      traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
    },
    ...(status === undefined ? {} : { status }),
  };
}

const stable = {
  uid: 'stable-uid',
  name: 'checkout-695d49c57z',
  hash: '695d49c57z',
  image: 'shop/checkout:1.4.2',
  since: '2026-11-20T12:00:00Z',
};

export const rejected = {
  hash: '7f9c4d8b2x',
  reason: 'Errors',
  message: 'the new version fails 9.8 % of requests, 37 of 378',
  at: '2026-11-24T11:00:00Z',
  record: 'checkout-7f9c4d8b2x-1',
};

/** Statuses of one release. */
export const statuses = {
  idle: {
    observedGeneration: 1,
    phase: 'Idle',
    reason: 'UpToDate',
    message: '695d49c57z is stable and takes all traffic.',
    stable,
    conditions: [condition('Ready', 'True'), condition('Stalled', 'False')],
  },
  judging: {
    observedGeneration: 1,
    phase: 'Progressing',
    reason: 'Judging',
    message: 'Step 2 of 4: 25% of requests go to 7f9c4d8b2x; waiting to rule out more than 0.20pp extra errors.',
    step: '2/4',
    verdict: 'NotEnough',
    stable,
    canary: { hash: '7f9c4d8b2x', image: 'shop/checkout:1.5.0', weight: 25, replicas: 2, ready: 2, step: 2, steps: 4 },
    conditions: [condition('Ready', 'False'), condition('Stalled', 'False')],
  },
  rolledBack: {
    observedGeneration: 1,
    phase: 'RolledBack',
    reason: 'RolledBack',
    message:
      'Revision 7f9c4d8b2x was rejected: the new version fails 9.8 % of requests, 37 of 378; the old one 0.1 %; evidence 1200 : 1. 695d49c57z takes all traffic.',
    stable,
    quarantined: [rejected],
    conditions: [condition('Ready', 'False'), condition('Stalled', 'True')],
  },
} satisfies Readonly<Record<string, RolloutStatus>>;

export function condition(type: 'Ready' | 'Stalled' | 'Judged', status: 'True' | 'False', message = '') {
  return { type, status, reason: 'Reason', message, lastTransitionTime: '2026-11-24T11:59:00Z' };
}
