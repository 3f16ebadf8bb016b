/** The acts of a person: which revision they concern, how Serin's answer comes back, and what is never created. */
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { KubeRequest } from '../kube/transport.ts';
import { checkout, rejected, rolloutPath, statuses, type Trial, trial } from './trial.ts';

const created = '/apis/serin.dev/v1alpha1/namespaces/shop/rolloutactions/';

function started(status: RolloutStatus = statuses.judging): Trial {
  const stage = trial();
  stage.api.put(rolloutPath, checkout(status));
  return stage;
}

/** The operator answers when the act is read for the second time. */
function answering(stage: Trial, state: 'Accepted' | 'Refused', message: string): void {
  let reads = 0;
  stage.api.before = ({ method, path }) => {
    if (method !== 'GET' || !path.startsWith(created) || ++reads < 2) return;
    stage.api.put(path, { ...stage.api.objects.get(path), status: { state, message, at: '2026-11-24T12:00:01Z' } });
  };
}

/** Who asks is asked first, by a review that stores nothing. */
const posted = (stage: Trial): KubeRequest | undefined =>
  stage.api.requests.find(({ method, path }) => method === 'POST' && path.endsWith('/rolloutactions'));

async function finished(stage: Trial, running: Promise<number>): Promise<number> {
  await stage.clock.advance(60_000);
  return running;
}

test('an act concerns the revision under release, carries the reason, and leaves it to the API server to say who asked', async () => {
  const stage = started();
  answering(stage, 'Accepted', 'Revision 7f9c4d8b2x goes back.');
  expect(await finished(stage, stage.serin('abort checkout --reason "errors in the log"'))).toBe(0);
  expect(posted(stage)?.body).toMatchObject({
    kind: 'RolloutAction',
    metadata: { generateName: 'checkout-abort-', namespace: 'shop' },
    spec: { rollout: 'checkout', action: 'abort', revision: '7f9c4d8b2x', reason: 'errors in the log' },
  });
  expect(posted(stage)?.body).not.toHaveProperty('spec.by');
  expect(stage.said.out).toBe('abort accepted: Revision 7f9c4d8b2x goes back.\n');
});

test('a refusal is said on standard error with exit code 4', async () => {
  const stage = started();
  answering(stage, 'Refused', 'The brake is on.');
  expect(await finished(stage, stage.serin('promote checkout'))).toBe(4);
  expect(stage.said).toEqual({ out: '', err: 'promote refused: The brake is on.\n' });
});

test('an operator that does not answer is exit code 5, and the act is named', async () => {
  const stage = started();
  expect(await finished(stage, stage.serin('pause checkout --timeout 10s'))).toBe(5);
  expect(stage.said.err).toContain('Serin has not answered checkout-pause-x7k2p within 10s');
});

test('--no-wait prints the name and asks nothing more', async () => {
  const stage = started();
  expect(await stage.serin('skip checkout --no-wait')).toBe(0);
  expect(stage.said.out).toBe('rolloutaction.serin.dev/checkout-skip-x7k2p created\n');
  expect(stage.api.requests.at(-1)?.method).toBe('POST');
});

test('retry concerns the quarantined revision, by a beginning of its name if there are several', async () => {
  const stage = started({ ...statuses.rolledBack, quarantined: [rejected, { ...rejected, hash: '5b7d24f6w8' }] });
  await stage.serin('retry checkout --no-wait --revision 5b');
  expect(posted(stage)?.body).toMatchObject({ spec: { action: 'retry', revision: '5b7d24f6w8' } });
});

test.each([
  ['abort checkout', statuses.idle, 'error: rollout checkout has no release under way, so there is nothing to abort'],
  [
    'retry checkout',
    statuses.judging,
    'error: rollout checkout has no quarantined revision, so there is nothing to retry',
  ],
  [
    'abort checkout --revision 9',
    statuses.judging,
    'error: no revision of rollout checkout that can be meant begins with "9"; there is 7f9c4d8b2x',
  ],
])('nothing is created by: serin %s', async (line, status, sentence) => {
  const stage = started(status);
  expect(await stage.serin(line)).toBe(4);
  expect(stage.said.err).toBe(`${sentence}\n`);
  expect(posted(stage)).toBeUndefined();
});

test('a beginning that fits two revisions is not guessed', async () => {
  const stage = started({ ...statuses.rolledBack, quarantined: [rejected, { ...rejected, hash: '7f00000000' }] });
  expect(await stage.serin('retry checkout --revision 7f')).toBe(4);
  expect(stage.said.err).toContain('several revisions: 7f9c4d8b2x, 7f00000000');
});

test('a Rollout that does not exist is exit code 6', async () => {
  expect(await trial().serin('abort checkout')).toBe(6);
});

test('flags may be put back long after the release, so no revision is asked for', async () => {
  const stage = started(statuses.idle);
  answering(stage, 'Accepted', 'Flag new-pricing of unleash is put back.');
  expect(await finished(stage, stage.serin('restore-flags checkout --reason "fixed in the backend"'))).toBe(0);
  expect(posted(stage)?.body).toMatchObject({
    metadata: { generateName: 'checkout-restore-flags-' },
    spec: { rollout: 'checkout', action: 'restoreFlags', reason: 'fixed in the backend' },
  });
  expect(posted(stage)?.body).not.toHaveProperty('spec.revision');
  expect(stage.said.out).toBe('restore-flags accepted: Flag new-pricing of unleash is put back.\n');
  expect(await stage.serin('restore-flags checkout --revision 7f9c')).toBe(2);
});
