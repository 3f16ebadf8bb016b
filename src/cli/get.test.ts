/** `serin get`: what a person and a script read of Rollouts. */
import { parse } from 'yaml';
import { checkout, refusal, rolloutPath, statuses, trial } from './trial.ts';

test('a release under way is one line: phase, step, weight, both revisions, verdict, age', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(statuses.judging));
  expect(await serin('get')).toBe(0);
  expect(said.out).toBe(
    [
      'NAME       PHASE         STEP   WEIGHT   STABLE       CANARY       VERDICT     AGE',
      'checkout   Progressing   2/4    25%      695d49c57z   7f9c4d8b2x   NotEnough   3d',
      '',
    ].join('\n'),
  );
  expect(api.isClosed).toBe(true);
});

test('a Rollout that no operator has looked at yet is listed all the same', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout());
  await serin('get');
  expect(said.out).toContain('checkout   -       -      -        -        -        -         3d');
});

test('wide adds the sentence, -A the namespace', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(statuses.idle));
  await serin('get -A -o wide');
  const [header, line] = said.out.split('\n');
  expect(header).toMatch(/^NAMESPACE {3}NAME .* MESSAGE$/);
  expect(line).toMatch(/^shop {8}checkout .* 695d49c57z is stable and takes all traffic\.$/);
});

test('one name gives the object, several give a List, both without the owners of fields', async () => {
  const one = trial();
  const rollout = checkout(statuses.idle);
  one.api.put(rolloutPath, { ...rollout, metadata: { ...rollout.metadata, managedFields: [{ manager: 'x' }] } });
  await one.serin('get checkout -o yaml');
  expect(parse(one.said.out)).toEqual(rollout);
  const all = trial();
  all.api.put(rolloutPath, rollout);
  await all.serin('get -o json');
  expect(JSON.parse(all.said.out)).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'checkout' } }] });
});

test('-o name prints what kubectl takes back', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout());
  await serin('get -o name');
  expect(said.out).toBe('rollout.serin.dev/checkout\n');
});

test('no Rollouts is no error, and is said on standard error', async () => {
  const { said, serin } = trial();
  expect(await serin('get -n empty')).toBe(0);
  expect(said).toEqual({ out: '', err: 'No rollouts found in empty namespace.\n' });
});

test('a name that is missing does not hide the others, and the exit code says it', async () => {
  const { api, said, serin } = trial();
  api.put(rolloutPath, checkout(statuses.idle));
  expect(await serin('get checkout chekout')).toBe(6);
  expect(said.out).toContain('checkout   Idle');
  expect(said.err).toBe(
    'Error from server (NotFound): rollouts.serin.dev "chekout" not found; see which there are with serin get -A\n',
  );
});

test('a user without rights reads what the API server says and gets exit code 6', async () => {
  const { api, said, serin } = trial();
  api.before = (request) => {
    throw refusal(
      request,
      'Forbidden',
      403,
      'rollouts.serin.dev is forbidden: User "bob" cannot list resource "rollouts"',
    );
  };
  expect(await serin('get')).toBe(6);
  expect(said.err).toBe(
    'Error from server (Forbidden): rollouts.serin.dev is forbidden: User "bob" cannot list resource "rollouts"\n',
  );
});

test('a cluster without the CRDs is told from a Rollout that is missing', async () => {
  const { api, said, serin } = trial();
  api.before = (request) => {
    throw refusal(request, 'NotFound', 404, 'the server could not find the requested resource');
  };
  expect(await serin('get')).toBe(6);
  expect(said.err).toContain('install the CRDs');
});
