/** The scenarios against the double, in virtual time. What they expect is what a real cluster does: real.cluster.test.ts. */
import { diceFrom } from '../../src/analysis/dice.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { ManualClock } from '../../src/kube/manual-clock.ts';
import { namespaces } from '../../src/kube/resources.ts';
import { createDouble } from '../../src/simulation/cluster.ts';
import { isNeverReady } from './double-world.ts';
import { scenarios } from './scenarios/all.ts';
import type { World } from './world.ts';

const namespace = 'truth';
const clock = new ManualClock();
const random = diceFrom(7);
const double = createDouble({
  clock,
  random,
  standIn: { readyAfterMs: (pod) => (isNeverReady(pod) ? 'never' : 300), endsAfterMs: () => 300 },
});
const stop = new AbortController();
let running: Promise<void>;

/** Steps of virtual time between two looks. */
const STEP_MS = 50;

const world: World = {
  client: new KubeClient({ transport: double.transport }),
  transport: double.transport,
  namespace,
  async until(what, ask) {
    for (let passedMs = 0; passedMs <= 60_000; passedMs += STEP_MS) {
      const found = await ask();
      if (found !== undefined) return found;
      await clock.advance(STEP_MS);
    }
    throw new Error(`waited a minute of virtual time for ${what}`);
  },
  pass: (ms) => clock.advance(ms),
};

beforeAll(async () => {
  running = double.run(stop.signal);
  await world.client.create(namespaces, { metadata: { name: namespace } });
});

afterAll(async () => {
  stop.abort();
  await running;
});

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
