/** What an attempt is answered while part of what is judged cannot be seen. */
import { type JudgeState, judgeWindow, openJudge } from '../analysis/judge.ts';
import { defaultErrors, restartsMetric, weighted } from '../analysis/metric.ts';
import { type JudgeSettings, defaultSettings } from '../analysis/settings.ts';
import { type EngineFacts, answerOf } from './answers.ts';

const settings: JudgeSettings = { ...defaultSettings, metrics: weighted([defaultErrors, restartsMetric]) };
const nowMs = 1_000_000;

function engine(
  name: EngineFacts['name'],
  lastCutMs: number | undefined,
  failing?: EngineFacts['failing'],
): EngineFacts {
  const seen = { example: name, hasStable: true, hasAnswered: failing === undefined, oddity: undefined };
  return { name, ...seen, failing, lastCutMs, windowMs: 15_000 };
}

/** Restarts were counted up to now, and requests never. */
function judgeOfRestarts(restarts: number): JudgeState {
  const opened = openJudge(
    [
      { name: 'app', hasLatency: false },
      { name: 'restarts', hasLatency: false },
    ],
    settings,
  );
  return [3, 2, 1].reduce(
    (judge, ago) =>
      judgeWindow(
        judge,
        'restarts',
        {
          startMs: nowMs - ago * 15_000,
          endMs: nowMs - (ago - 1) * 15_000,
          lengthMs: 15_000,
          canary: { requests: 60, errors: restarts },
          stable: { requests: 180, errors: 0 },
          canaryGroups: [],
        },
        settings,
      ),
    opened,
  );
}

function answered(restarts: number, app: EngineFacts) {
  const engines = [app, engine('restarts', nowMs)];
  const judge = judgeOfRestarts(restarts);
  return answerOf({ sourceName: 'main', settings, judge, engines, firstAskedMs: 0, canarySinceMs: 0 }, nowMs);
}

test('pods that do not restart say nothing about requests that nobody sees (S4)', () => {
  expect(answered(0, engine('app', undefined))).toMatchObject({ kind: 'noEvidence', reason: 'noSeries' });
});

test('nor do they hide that the source is down (S7)', () => {
  const failing = { sinceMs: 0, sentence: 'MetricSource main is gone.' };
  expect(answered(0, engine('app', undefined, failing))).toMatchObject({
    kind: 'sourceDown',
    sentence: 'MetricSource main is gone.',
  });
});

test('restarts that are harm are heard all the same', () => {
  expect(answered(9, engine('app', undefined))).toMatchObject({ kind: 'judged', culprit: 'restarts' });
});

test('with requests counted too the judge speaks for both', () => {
  expect(answered(0, engine('app', nowMs))).toMatchObject({ kind: 'judged', level: 'calm' });
});
