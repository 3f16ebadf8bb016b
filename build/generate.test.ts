import { outOfSync } from './generate.ts';

test('the generated files in the repository are what the sources say', async () => {
  expect(await outOfSync(new URL('../', import.meta.url))).toEqual([]);
});
