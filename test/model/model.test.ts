/** Every state that a few disturbances can lead to keeps every invariant, and comes to rest or asks for a person. */
import { explore, wander } from './explore.ts';
import { SETUPS } from './setup.ts';

const WALKS = 40;
const FEW_WALKS = 8;
const LONG = 150;

test.each(SETUPS)(
  'in "$name" every invariant holds on every path, and every path comes to rest or asks for a person',
  (setup) => {
    const { states, transitions } = explore(setup);
    process.stderr.write(`model check, ${setup.name}: ${states} states, ${transitions} transitions\n`);
    // Where only some disturbances are looked at there are fewer states.
    expect(states).toBeGreaterThan(setup.only === undefined ? 1000 : 100);
  },
  300_000,
);

test.each(SETUPS)(
  'on long walks through "$name" with many disturbances the same holds',
  (setup) => {
    const walks = setup.only === undefined ? WALKS : FEW_WALKS;
    for (let seed = 1; seed <= walks; seed++) wander(setup, seed, LONG);
    process.stderr.write(`model check, ${setup.name}: ${walks} walks of ${LONG} moves\n`);
    expect.assertions(0);
  },
  300_000,
);
