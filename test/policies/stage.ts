/**
 * Gives a suite its own namespace on the real API server with Serin's CRDs and policies in force, and takes it away again.
 * Without a cluster that has what the suite needs it is skipped, never passed.
 */
import { randomBytes } from 'node:crypto';
import { isUnavailable, missing, type Need, notRun, openCluster } from '../cluster/cluster.ts';
import { type ApiServer, apiServer } from './api-server.ts';
import { installSerin } from './install.ts';

const cluster = await openCluster(['admission']);

export interface Stage {
  readonly namespace: string;
  readonly server: ApiServer;
  /** For webhooks of a test; undefined where the API server cannot call this machine. */
  readonly serving: Serving | undefined;
  /** Jest's `describe`, or `describe.skip` with the reason in its name where there is no cluster that has all of `needs` too. */
  describe(sentence: string, tests: () => void, needs?: readonly Need[]): void;
  /** Jest's `test` for what needs more than the rest of the suite, or `test.skip` with the reason in its name. */
  testWith(needs: readonly Need[], sentence: string, run: () => Promise<void>, patienceMs?: number): void;
}

/** A certificate that the API server trusts for this machine. */
export interface Serving {
  /** PEM text of its authority. */
  readonly ca: string;
  /** Paths. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * To be called once, at the top of a suite's file: it registers the suite's set-up and its end.
 *
 * @param needs what every test of the suite needs beside an API server, its controllers and Serin's policies
 */
export function openStage(name: string, needs: readonly Need[] = []): Stage {
  const namespace = `serin-${name}-${randomBytes(3).toString('hex')}`;
  const reason = isUnavailable(cluster) ? cluster.unavailable : missing(cluster, needs);
  if (isUnavailable(cluster) || reason !== undefined) {
    const absent = () => Promise.reject(new Error(reason));
    const skip = (sentence: string, tests: () => void) => describe.skip(notRun(sentence, reason ?? ''), tests);
    const testWith: Stage['testWith'] = (_needs, sentence, run) => test.skip(sentence, run);
    return { namespace, server: { ask: absent, kubectl: absent }, serving: undefined, describe: skip, testWith };
  }
  const server = apiServer(cluster);
  beforeAll(async () => {
    await server.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    await installSerin(server, namespace);
  }, 60_000);
  afterAll(() => server.ask('DELETE', `/api/v1/namespaces/${namespace}`));
  const testWith: Stage['testWith'] = (more, sentence, run, patienceMs) => {
    const lack = missing(cluster, more);
    if (lack === undefined) test(sentence, run, patienceMs);
    else test.skip(notRun(sentence, lack), run);
  };
  const serving = cluster.serving === undefined ? undefined : { ...cluster.serving, ca: cluster.ca };
  const describeWith: Stage['describe'] = (sentence, tests, more = []) => {
    const lack = missing(cluster, more);
    if (lack === undefined) describe(sentence, tests);
    else describe.skip(notRun(sentence, lack), tests);
  };
  return { namespace, server, serving, describe: describeWith, testWith };
}
