import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { rolloutSpecSchema } from '../api/rollout.ts';
import { embeddedShop, rolloutOf } from './shop.ts';

const rollout = rolloutOf(embeddedShop).object;

test('the Rollout of the demo is one that the API server takes', () => {
  const { spec } = rollout as unknown as { spec: unknown };
  expect(rolloutSpecSchema.safeParse(spec).error?.issues).toBeUndefined();
});

test('it is the one that the documentation shows', () => {
  const page = readFileSync(new URL('../../docs/demo.md', import.meta.url), 'utf8');
  const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(parse(shown)).toMatchObject({ ...rollout });
});
