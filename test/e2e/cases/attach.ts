/** Attaching to an application that serves: nothing restarts, nothing is lost, and user objects get one label. */
import { describeWrite, releaseWrites } from '../harness/audit.ts';
import { guard } from '../harness/ground.ts';
import { countLost } from '../harness/measure.ts';
import type { Scene } from '../harness/scene.ts';
import { Checks, goal, numbersOf, told } from '../harness/story.ts';
import type { Row, Story } from '../harness/story.ts';

const watchMs = 15_000;

export const attach: Story = {
  name: 'attach',
  title: 'Attach',
  times: 1,
  alone: false,
  minutes: 1,
  scene: { start: 'alone' },
  play,
  figures: (rows) => {
    const restarted = numbersOf(rows, 'restarted')[0] ?? Number.NaN;
    const lost = numbersOf(rows, 'lost')[0] ?? Number.NaN;
    const writes = (rows[0]?.['writes'] as string[] | undefined) ?? [];
    const others = (rows[0]?.['otherWrites'] as string[] | undefined) ?? [];
    return [
      goal('pods restarted or created', `${restarted}`, '0', restarted === 0),
      goal('requests lost', `${lost}`, '0', lost === 0),
      goal(
        'writes to user objects, from the audit log',
        writes.join('; '),
        guard === 'pause' ? 'the label, and the pause' : 'the label only',
        isOnlyTheLabel(writes),
      ),
      told('writes to objects of its own kinds', others.join('; ')),
    ];
  },
};

async function play(scene: Scene): Promise<Row> {
  const checks = new Checks();
  const fromMs = Date.now();
  const before = new Set(scene.watcher.pods.map((pod) => pod.metadata.uid));
  await scene.attach();
  const attachedMs = Date.now() - fromMs;
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  const lost = countLost(scene.load.snapshot(), { fromMs, toMs: Date.now() }, checks);
  const restarted = [...scene.watcher.podsSeen.values()].filter(
    (pod) => pod.restarts > 0 || !before.has(pod.uid),
  ).length;
  const all = releaseWrites(scene.audit());
  const writes = all.filter(({ group }) => group !== 'serin.dev').map(describeWrite);
  const otherWrites = all.filter(({ group }) => group === 'serin.dev').map(describeWrite);
  checks.expect(restarted === 0, `${restarted} pods were restarted or created`);
  checks.expect(isOnlyTheLabel(writes), `user objects got more than the label: ${writes.join('; ')}`);
  return {
    problems: checks.problems,
    restarted,
    lost,
    attachedMs,
    writes,
    otherWrites: [...new Set(otherWrites)],
  };
}

/** The pause guard is one more write: pause, mark, and the progress deadline with its note. */
function isPause(write: string): boolean {
  return guard === 'pause' && /^patch deployments shop: .*spec\.paused, spec\.progressDeadlineSeconds$/.test(write);
}

function isOnlyTheLabel(writes: readonly string[]): boolean {
  return (
    writes.length > 0 &&
    writes.every(
      (write) => /^patch deployments shop: metadata\.labels(\.serin\.dev[./]attached)?$/.test(write) || isPause(write),
    )
  );
}
