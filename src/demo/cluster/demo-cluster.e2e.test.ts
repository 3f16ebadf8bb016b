/** The whole story on the real test cluster, as a user plays it; and what is left of it, also when it is stopped: nothing. */
import { fileURLToPath } from 'node:url';
import { openGround, sources } from '../../../test/e2e/harness/ground.ts';
import { demo } from '../../cli/demo.ts';
import { openSession } from '../../cli/open-session.ts';
import { programVersion } from '../../cli/version.ts';
import { systemClock } from '../../kube/clock.ts';
import { leases, namespaces } from '../../kube/resources.ts';

const program = fileURLToPath(new URL('../../main.ts', import.meta.url));
const ground = await openGround(program, () => undefined);

if ('unavailable' in ground) {
  test.skip(`the demo on a real cluster: ${ground.unavailable}`, () => undefined);
} else {
  const { admin, cluster } = ground;
  const asked = process.argv[1];

  // The operator of the demo is started as this process was: by the program, not by the tests.
  beforeAll(() => void (process.argv[1] = program));

  afterAll(async () => {
    process.argv[1] = asked ?? '';
    await ground.close();
  });

  async function played(onLine: (line: string) => void = () => undefined): Promise<{ code: number; out: string }> {
    let out = '';
    const print = (text: string): void => {
      out += `${text}\n`;
      onLine(text);
    };
    const terminal = { isInteractive: false, columns: 120, hasColour: false, print, complain: print, draw: print };
    const code = await demo(
      // Named, because other suites may have left a source that is the default.
      { cluster: true, kubeconfig: cluster.kubeconfig, metricSource: sources.app },
      {
        terminal,
        clock: systemClock,
        programName: 'serin',
        open: async (options) => openSession(options, systemClock, programVersion),
      },
    );
    return { code, out };
  }

  async function left(): Promise<readonly string[]> {
    const spaces = await admin.list(namespaces);
    const taken = await admin.list(leases, { namespace: 'serin-system' });
    return [...spaces.items, ...taken.items]
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith('serin-demo-'));
  }

  test('a good version is promoted, a bad one rolled back, no request is lost, and nothing is left', async () => {
    const { code, out } = await played();
    console.log(out);
    expect(code).toBe(0);
    expect(out).toMatch(/lost for any other reason\s+0$/m);
    expect(out).toMatch(/first bad answer to weight 0\s+\d+\.\d s$/m);
    expect(out).toMatch(/pods created\s+4 of v1, 4 of v2, 2 of v3$/m);
    expect(await left()).toEqual([]);
  }, 300_000);

  test('stopped in the middle of a release, it leaves nothing either', async () => {
    const playing = played((line) => {
      if (line.includes('Step 1 of 3')) process.emit('SIGINT');
    });
    await expect(playing).rejects.toThrow('nothing is left of it');
    expect(await left()).toEqual([]);
  }, 200_000);
}
