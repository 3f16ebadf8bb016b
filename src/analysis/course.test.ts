import { type JudgeEvent, courseAfter, openCourse, replayed } from './course.ts';
import { diceFrom } from './dice.ts';
import { openJudge } from './judge.ts';
import { defaultSettings as settings } from './settings.ts';

function events(count: number): readonly JudgeEvent[] {
  const dice = diceFrom(8);
  return Array.from({ length: count }, (_, index): JudgeEvent => {
    if (index % 50 === 0) return { kind: 'step', key: String(index), atMs: index * 5_000 };
    if (index === count - 20) return { kind: 'mode', mode: 'bake', atMs: index * 5_000 };
    const window = {
      startMs: index * 5_000,
      endMs: (index + 1) * 5_000,
      lengthMs: 5_000,
      canary: { requests: 50, errors: dice() < 0.1 ? 1 : 0 },
      stable: { requests: 450, errors: dice() < 0.5 ? 1 : 0 },
      canaryGroups: [],
    };
    return { kind: 'window', reader: 'app', window };
  });
}

test('going through what is kept again gives the same judge, bit for bit, however long the attempt was', () => {
  for (const count of [0, 30, 400, 1500]) {
    const opened = openJudge([{ name: 'app', hasLatency: false }], settings);
    const course = events(count).reduce((before, event) => courseAfter(before, event, settings), openCourse(opened));
    expect(replayed(course.from, course.events, settings)).toEqual(course.judge);
    expect(course.judge).toEqual(replayed(opened, events(count), settings));
    expect(course.events.length).toBeLessThanOrEqual(400);
  }
});
