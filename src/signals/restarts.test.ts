import { type ListedRestarts, type PodRestarts, RestartReader } from './restarts.ts';

const beganAtMs = 1_000_000;
const pod = (name: string, startedAtMs: number, restarts = 0, isOutOfMemory = false): PodRestarts => ({
  name,
  startedAtMs,
  restarts,
  isOutOfMemory,
});
const at = (seconds: number): number => beganAtMs + seconds * 1000;
const old = (restarts = 0) => pod('old', beganAtMs - 86_400_000, restarts);
const listed = (canary: readonly PodRestarts[], stable: readonly PodRestarts[] = [old()]): ListedRestarts => ({
  canary,
  stable,
});

/** A reader that saw the old pods when the attempt began. */
function began(stable: readonly PodRestarts[] = [old()], saved?: unknown): RestartReader {
  const reader = new RestartReader(beganAtMs, saved);
  reader.see(listed([], stable), at(1));
  return reader;
}

test('pods count for as long as they run: those of the attempt from their start, older ones since they were seen', () => {
  const window = began().cut(listed([pod('new', at(5))]), at(16));
  expect(window).toMatchObject({
    startMs: at(0),
    endMs: at(16),
    canary: { requests: 11, errors: 0 },
    stable: { requests: 15, errors: 0 },
    canaryGroups: [{ requests: 11, errors: 0 }],
  });
});

test('what was restarted before the attempt is not the attempt’s; what is restarted in it counts once', () => {
  const reader = began([old(7)]);
  expect(reader.cut(listed([pod('new', at(5), 2)], [old(7)]), at(16))).toMatchObject({
    canary: { errors: 2 },
    stable: { errors: 0 },
  });
  expect(reader.cut(listed([pod('new', at(5), 2)], [old(8)]), at(31))).toMatchObject({
    canary: { requests: 15, errors: 0 },
    stable: { errors: 1 },
  });
});

test('each pod is in one group, up to four, and stays in it', () => {
  const reader = began();
  const pods = (restarts: number) =>
    [0, 1, 2, 3, 4].map((index) => pod(`new-${index}`, at(2), index === 4 ? restarts : 0));
  expect(reader.cut(listed(pods(1)), at(12))?.canaryGroups.map(({ errors }) => errors)).toEqual([1, 0, 0, 0]);
  expect(reader.cut(listed(pods(3).toReversed()), at(27))?.canaryGroups.map(({ errors }) => errors)).toEqual([
    2, 0, 0, 0,
  ]);
});

test('a pod that is not listed for a moment is not counted anew', () => {
  const reader = began();
  reader.cut(listed([pod('new', at(2), 3)]), at(16));
  reader.cut(listed([]), at(31));
  expect(reader.cut(listed([pod('new', at(2), 3)]), at(46))).toMatchObject({ canary: { errors: 0 } });
});

test('the next operator goes on where the last one stopped: what happened meanwhile counts, and nothing twice', () => {
  const reader = began([old(7)]);
  reader.cut(listed([pod('new', at(2), 2)], [old(7)]), at(16));
  const next = new RestartReader(beganAtMs, JSON.parse(JSON.stringify(reader.saved)));
  expect(next.cut(listed([pod('new', at(2), 3), pod('newer', at(40))], [old(7)]), at(76))).toMatchObject({
    startMs: at(16),
    canary: { requests: 60 + 36, errors: 1 },
    stable: { requests: 60, errors: 0 },
  });
});

test('without what the last one saved, pods of the attempt count from their start and older ones from now', () => {
  for (const saved of [
    undefined,
    7,
    {},
    { cutMs: 'x', counted: '', groups: '' },
    { cutMs: 1, counted: 'AAA', groups: '' },
  ]) {
    const next = new RestartReader(beganAtMs, saved);
    next.see(listed([pod('new', at(2), 3)], [old(9)]), at(70));
    expect(next.cut(listed([pod('new', at(2), 3)], [old(9)]), at(72))).toMatchObject({
      canary: { requests: 70, errors: 3 },
      stable: { requests: 2, errors: 0 },
    });
  }
});

test('a clock that goes back counts nothing', () => {
  const reader = began();
  reader.cut(listed([pod('new', at(2))]), at(16));
  expect(reader.cut(listed([pod('new', at(2), 1)]), at(10))).toBeUndefined();
  expect(reader.cut(listed([pod('new', at(2), 1)]), at(20))).toMatchObject({ canary: { requests: 4, errors: 1 } });
});

test('that a container ran out of memory is told with the verdict, also by the next operator', () => {
  const harmful = { kind: 'judged', culprit: 'restarts', sentence: 'Bad.' } as never;
  const reader = began();
  reader.cut(listed([pod('new', at(2), 1, true)]), at(16));
  const next = new RestartReader(beganAtMs, JSON.parse(JSON.stringify(reader.saved)));
  for (const one of [reader, next])
    expect(one.addTo(harmful)).toMatchObject({
      sentence: 'Bad. Among them containers that ran out of memory (OOMKilled).',
    });
  expect(began().addTo(harmful)).toBe(harmful);
  expect(reader.addTo({ kind: 'judged', culprit: 'errors', sentence: 'Bad.' } as never)).toMatchObject({
    sentence: 'Bad.',
  });
});
