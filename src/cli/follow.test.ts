/** The states of one Rollout as they come, over an API whose watches fail, so that lists have to do. */
import { follow, type Sight } from './follow.ts';
import { sessionOn } from './session.ts';
import { checkout, refusal, rolloutPath, statuses, type Trial, trial } from './trial.ts';

const collection = '/apis/serin.dev/v1alpha1/namespaces/shop/rollouts';

function followed(stage: Trial): AsyncGenerator<Sight, void, void> {
  return follow(sessionOn(stage.api, 'shop'), 'checkout', stage.around, 1000);
}

/** The next sight of this kind; others that come before it are passed over. Time moves on while it is waited for. */
async function next(stage: Trial, sights: AsyncGenerator<Sight, void, void>, kind: Sight['kind']): Promise<Sight> {
  for (let tries = 0; tries < 200; tries++) {
    const [{ value }] = await Promise.all([sights.next(), stage.clock.advance(1000)]);
    if (value?.kind === kind) return value;
  }
  throw new Error(`no ${kind} came`);
}

function started(): Trial {
  const stage = trial();
  stage.api.put(rolloutPath, checkout(statuses.idle));
  return stage;
}

test('it begins with the state now, and ticks while nothing changes', async () => {
  const stage = started();
  const sights = followed(stage);
  expect(await next(stage, sights, 'rollout')).toMatchObject({ rollout: { status: { phase: 'Idle' } } });
  await next(stage, sights, 'tick');
  await sights.return();
  expect(stage.clock.pendingTimers).toBe(0);
});

test('a Rollout that goes between the first look and the first list is seen to be gone', async () => {
  const stage = started();
  const sights = followed(stage);
  await next(stage, sights, 'rollout');
  stage.api.objects.delete(rolloutPath);
  await next(stage, sights, 'deleted');
  await sights.return();
});

test('a list that is older than the first look does not end the story', async () => {
  const stage = started();
  const sights = followed(stage);
  await next(stage, sights, 'rollout');
  const current = stage.api.objects.get(rolloutPath);
  stage.api.before = ({ path, query }) => {
    if (path === collection && query?.['resourceVersion'] === '0') stage.api.objects.delete(rolloutPath);
    else if (current !== undefined) stage.api.put(rolloutPath, current);
  };
  expect(await next(stage, sights, 'rollout')).toMatchObject({ rollout: { metadata: { name: 'checkout' } } });
  await sights.return();
});

test('trouble is passed on and gone through; a right that was taken away is not', async () => {
  const stage = started();
  const sights = followed(stage);
  await next(stage, sights, 'trouble');
  stage.api.before = (request) => {
    throw refusal(request, 'Forbidden', 403, 'rollouts is forbidden');
  };
  await expect(next(stage, sights, 'rollout')).rejects.toMatchObject({ code: 'Forbidden' });
  expect(stage.clock.pendingTimers).toBe(0);
});
