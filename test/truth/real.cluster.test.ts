/** The same scenarios against a real API server with its controllers and a kubelet: what they expect is stated once. */
import { KubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/clock.ts';
import { loadConnection } from '../../src/kube/config.ts';
import { HttpTransport } from '../../src/kube/transport.ts';
import { isUnavailable, openCluster } from '../cluster/cluster.ts';
import { openStage } from '../policies/stage.ts';
import { scenarios } from './scenarios/all.ts';
import type { World } from './world.ts';

const cluster = await openCluster();
const stage = openStage('truth');
const { namespace } = stage;

stage.describe('a real cluster', () => {
  let world: World;

  beforeAll(() => {
    if (isUnavailable(cluster)) throw new Error(cluster.unavailable);
    const connection = loadConnection({ kubeconfig: cluster.kubeconfig });
    const transport = new HttpTransport({ connection, clock: systemClock });
    world = {
      client: new KubeClient({ transport }),
      transport,
      namespace,
      async until(what, ask) {
        for (const startMs = systemClock.monotonicMs(); systemClock.monotonicMs() - startMs < 60_000; ) {
          const found = await ask();
          if (found !== undefined) return found;
          await systemClock.sleep(100);
        }
        throw new Error(`waited a minute for ${what}`);
      },
      pass: (ms) => systemClock.sleep(ms),
    };
  });

  afterAll(() => world.transport.close());

  for (const [about, list] of Object.entries(scenarios)) {
    describe(about, () => {
      test.each(list.map((scenario, at) => [scenario.sentence, scenario, at] as const))(
        '%s',
        async (_sentence, scenario, at) => {
          expect(await scenario.play(world, `t${about.slice(0, 2).toLowerCase()}${at}`)).toEqual(scenario.outcome);
        },
      );
    });
  }
});
