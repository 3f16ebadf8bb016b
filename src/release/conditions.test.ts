import { conditionsFor } from './conditions.ts';
import type { Report } from './decision.ts';
import { judged, sourceDown } from './sample-world.ts';

const context = { generation: 7, nowIso: '2027-01-15T08:00:00.000Z', guard: 'admission', judged: undefined } as const;
const idle: Report = { phase: 'Idle', reason: 'UpToDate', message: 'old is stable.', stalled: false };
const busy: Report = { phase: 'Progressing', reason: 'Judging', message: '25% of requests.', stalled: false };
const stuck: Report = {
  phase: 'RolledBack',
  reason: 'RolledBack',
  message: 'Revision new was rejected.',
  stalled: true,
};

function statusesOf(report: Report) {
  return Object.fromEntries(conditionsFor(report, [], context).map(({ type, status }) => [type, status]));
}

test('at rest kstatus says Current', () => {
  expect(statusesOf(idle)).toMatchObject({ Ready: 'True', Reconciling: 'False', Stalled: 'False' });
});

test('during a release kstatus says InProgress', () => {
  expect(statusesOf(busy)).toMatchObject({ Ready: 'False', Reconciling: 'True', Stalled: 'False' });
});

test('where a person must act kstatus says Failed, and not InProgress at the same time', () => {
  expect(statusesOf(stuck)).toMatchObject({ Ready: 'False', Reconciling: 'False', Stalled: 'True' });
});

test('idle and yet refused is not ready', () => {
  expect(statusesOf({ ...idle, reason: 'ServiceShared', stalled: true })).toMatchObject({
    Ready: 'False',
    Stalled: 'True',
  });
});

test('a condition keeps its transition time while its status stays, and every one names the generation', () => {
  const before = conditionsFor(idle, [], { ...context, nowIso: '2027-01-01T00:00:00.000Z' });
  const after = conditionsFor(stuck, before, context);
  const timeOf = (type: string) => after.find((condition) => condition.type === type)?.lastTransitionTime;
  expect(timeOf('Ready')).toBe(context.nowIso);
  expect(timeOf('Reconciling')).toBe('2027-01-01T00:00:00.000Z');
  expect(after.every((condition) => condition.observedGeneration === 7)).toBe(true);
});

test('the same report twice gives the same conditions, so a settled world writes nothing (S9)', () => {
  const before = conditionsFor(busy, [], { ...context, judged: judged() });
  expect(conditionsFor(busy, before, { ...context, judged: judged(), nowIso: '2028-01-01T00:00:00.000Z' })).toEqual(
    before,
  );
});

test('Guarded says whether a new template is held, and Unknown before it was tried', () => {
  const guardOf = (guard: 'admission' | 'pause' | 'absent' | 'unknown') =>
    conditionsFor(idle, [], { ...context, guard }).find(({ type }) => type === 'Guarded');
  expect(guardOf('admission')).toMatchObject({ status: 'True', reason: 'AdmissionGuard' });
  expect(guardOf('absent')).toMatchObject({ status: 'False', reason: 'GuardAbsent' });
  expect(guardOf('unknown')).toMatchObject({ status: 'Unknown', reason: 'NotTried' });
});

test('Judged tells an outage from missing series, from no source and from a judgement', () => {
  const judgedAs = (answer: NonNullable<Parameters<typeof conditionsFor>[2]['judged']>) =>
    conditionsFor(busy, [], { ...context, judged: answer }).find(({ type }) => type === 'Judged');
  expect(judgedAs(judged())).toMatchObject({ status: 'True', reason: 'AgainstStable' });
  expect(judgedAs(judged({ judge: 'bake' }))).toMatchObject({ status: 'True', reason: 'AgainstHistory' });
  expect(judgedAs({ kind: 'noSource' })).toMatchObject({ status: 'False', reason: 'NoSource' });
  expect(judgedAs({ kind: 'noEvidence', reason: 'noSeries', sentence: 'none' })).toMatchObject({
    status: 'Unknown',
    reason: 'NoSeries',
  });
  expect(judgedAs({ kind: 'noEvidence', reason: 'waiting', sentence: 'none' })).toMatchObject({
    status: 'Unknown',
    reason: 'Waiting',
  });
  expect(judgedAs(sourceDown())).toMatchObject({ status: 'Unknown', reason: 'SourceDown' });
});

test('at rest nothing is said to be judged', () => {
  expect(conditionsFor(idle, [], context).map(({ type }) => type)).toEqual([
    'Ready',
    'Reconciling',
    'Stalled',
    'Guarded',
  ]);
});
