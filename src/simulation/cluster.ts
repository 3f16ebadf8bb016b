/**
 * A whole cluster in one process: an API server, the controllers that matter to a release, and, if wanted, stand-ins for
 * kubelet and gateway. It knows Kubernetes and Serin's admission policies, and nothing of Serin's decisions: the operator
 * and the command line talk to it as to any cluster. What it does not do, it refuses (404, 405, 415, 501).
 *
 * How to use it:
 *
 *     const double = createDouble({ clock: systemClock, random: Math.random, kubelet: 'none' });
 *     const running = double.run(signal);                       // controllers; resolves when the signal aborts
 *     const served = await serveDouble(double, { port: 0 });    // plain HTTP on 127.0.0.1, with streaming watches
 *     served.kubeconfigs.operator                               // YAML text: system:serviceaccount:serin-system:serin
 *     served.kubeconfigs.admin                                  // YAML text: admin
 *     double.transport                                          // the same without sockets, as admin
 *     double.transportAs(operatorUser)                          // the same, as somebody else
 *
 * Identity: the bearer token decides; the two kubeconfigs have one each, another token is refused with 401. There is no
 * RBAC: whoever is known may do everything that the admission policies let him do, and may impersonate.
 *
 * Pods: a scheduler binds each new pod to `nodeName` at once. With `kubelet: 'none'` it then stays Pending until a client
 * patches `pods/status` (phase, podIP, conditions with times, containerStatuses). A deleted pod keeps existing with
 * deletionTimestamp until a client deletes it again with `gracePeriodSeconds: 0` (in the body or the query), as a node
 * does. EndpointSlices follow by the pods' conditions: ready, serving, terminating, port numbers and names.
 *
 * Time passes only through the clock, chance comes only from `random`: with a ManualClock and a seeded source a run can
 * be repeated. Controllers work as often as time passes for them, so with a ManualClock advance it.
 */
import type { Clock, Random } from '../kube/clock.ts';
import type { Transport, WriteHook } from '../kube/transport.ts';
import { policiesOf } from './admission/policies.ts';
import { controllersOf } from './controllers/all.ts';
import { runControllers } from './controllers/runner.ts';
import type { StandInKubelet } from './controllers/stand-in-kubelet.ts';
import type { Faults } from './faults.ts';
import { ApiServer } from './server/api-server.ts';
import { adminUser, type User } from './server/asked.ts';
import { InProcessTransport } from './transport.ts';
import { Way } from './way.ts';

export { adminUser, operatorUser, type User } from './server/asked.ts';
export { type Served, serveDouble } from './serve.ts';

export interface DoubleOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Time that each answer and each watch event takes, in milliseconds; a function is asked for each. Default 0. */
  readonly latencyMs?: number | (() => number);
  /** What goes wrong on the way; default: nothing. */
  readonly faults?: Faults;
  /** Whether Serin's admission policies are installed. Default true. */
  readonly admission?: boolean;
  /** `standIn`: pods become Ready and end by themselves. `none`: some client is the node. Default `standIn`. */
  readonly kubelet?: 'standIn' | 'none';
  /** How the stand-in behaves; default: every pod is Ready after 1 s and ends 1 s after its deletion. */
  readonly standIn?: StandInKubelet;
  /** `standIn`: routes are accepted at once. `none`: some client writes their status. Default as `kubelet`. */
  readonly gateway?: 'standIn' | 'none';
  /** Time between a change and the controllers' reaction, in milliseconds; a function is asked for each. Default 5. */
  readonly reactionMs?: number | (() => number);
  /** Changes that watches can go back to; older places are Gone. Default 10 000. */
  readonly historyLength?: number;
  /** Between two bookmarks of a watch. Default 60 000. */
  readonly bookmarkMs?: number;
}

export interface Double {
  /** In process, as admin. */
  readonly transport: Transport;
  /** `onWrite` is told about every write that is no dry run, as fault points need. */
  transportAs(user: User, onWrite?: WriteHook): Transport;
  /** What every request passes, with latency and faults. */
  readonly way: Way;
  /** The API server itself, for those who serve it or play a part of the cluster. */
  readonly server: ApiServer;
  /** Runs the controllers until `signal` aborts; to be called once. Rejects when a controller fails unexpectedly. */
  run(signal: AbortSignal): Promise<void>;
}

/** An empty cluster with the namespaces `default`, `kube-system` and `serin-system`. */
export function createDouble(options: DoubleOptions): Double {
  const { clock, random, faults, kubelet = 'standIn' } = options;
  const server = new ApiServer({
    clock,
    random,
    policies: options.admission === false ? [] : policiesOf(),
    historyLength: options.historyLength ?? 10_000,
    bookmarkMs: options.bookmarkMs ?? 60_000,
  });
  const way = new Way({ server, clock, latencyMs: asked(options.latencyMs ?? 0), ...(faults ? { faults } : {}) });
  const transportAs = (user: User, onWrite?: WriteHook): Transport =>
    new InProcessTransport({ way, user, clock, ...(onWrite === undefined ? {} : { onWrite }) });
  const controllers = controllersOf({
    server,
    clock,
    random,
    kubelet: kubelet === 'standIn' ? (options.standIn ?? {}) : undefined,
    gateway: (options.gateway ?? kubelet) === 'standIn',
  });
  return {
    transport: transportAs(adminUser),
    transportAs,
    way,
    server,
    run: (signal) => runControllers({ server, clock, reactionMs: asked(options.reactionMs ?? 5), controllers }, signal),
  };
}

function asked(ms: number | (() => number)): () => number {
  return typeof ms === 'function' ? ms : () => ms;
}
