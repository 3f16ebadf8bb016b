/** Every state that a few disturbances can lead to keeps every invariant, and comes to rest or asks for a person. */
import { explore } from './explore.ts';
import { SETUPS } from './setup.ts';

test.each(SETUPS)(
  'in "$name" every invariant holds on every path, and every path comes to rest or asks for a person',
  (setup) => {
    const { states, transitions } = explore(setup);
    process.stderr.write(`model check, ${setup.name}: ${states} states, ${transitions} transitions\n`);
    expect(states).toBeGreaterThan(500);
  },
  300_000,
);
