/** Every state that a few disturbances can lead to keeps every invariant, and comes to rest or asks for a person. */
import { explore, wander } from './explore.ts';
import { SETUPS } from './setup.ts';

const WALKS = 40;
const LONG = 150;

test.each(SETUPS)(
  'in "$name" every invariant holds on every path, and every path comes to rest or asks for a person',
  (setup) => {
    const { states, transitions } = explore(setup);
    process.stderr.write(`model check, ${setup.name}: ${states} states, ${transitions} transitions\n`);
    expect(states).toBeGreaterThan(1000);
  },
  300_000,
);

test.each(SETUPS)(
  'on long walks through "$name" with many disturbances the same holds',
  (setup) => {
    for (let seed = 1; seed <= WALKS; seed++) wander(setup, seed, LONG);
    process.stderr.write(`model check, ${setup.name}: ${WALKS} walks of ${LONG} moves\n`);
    expect.assertions(0);
  },
  300_000,
);
