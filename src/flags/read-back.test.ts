/** That a look through the OpenFeature SDK is not fooled, and leaves nothing behind. */
import { OpenFeature, type Provider, type ResolutionDetails } from '@openfeature/server-sdk';
import { never } from './flags-in-memory.ts';
import { type Asked, readBack } from './read-back.ts';

const asked: Asked = { source: 'flags', flag: 'new-pricing', variant: 'off', expected: false, changeId: 'a-1-1' };

type Answer = (flag: string, otherwise: boolean) => Promise<ResolutionDetails<boolean>>;

function provider(answer: Answer, more: Partial<Provider> = {}): Provider {
  const wrong = () => Promise.reject(new Error('another type was asked for'));
  return {
    metadata: { name: 'told' },
    runsOn: 'server',
    resolveBooleanEvaluation: answer,
    resolveStringEvaluation: wrong,
    resolveNumberEvaluation: wrong,
    resolveObjectEvaluation: wrong,
    ...more,
  };
}

const good = { value: false, variant: 'off', reason: 'STATIC', flagMetadata: { serinChange: 'a-1-1' } };

test('what is asked for, from this change, is served', async () => {
  expect(
    await readBack(
      provider(async () => good),
      asked,
      never,
    ),
  ).toMatchObject({ served: true });
});

test.each([
  ['gives the default back', async (_: string, value: boolean) => ({ value, variant: 'off', reason: 'STATIC' })],
  ['serves the other variant', async () => ({ ...good, value: true, variant: 'on' })],
  ['names no variant', async () => ({ value: false, reason: 'STATIC', flagMetadata: good.flagMetadata })],
  ['has it disabled', async () => ({ ...good, reason: 'DISABLED' })],
  ['fails with the right value', async () => ({ ...good, reason: 'ERROR' })],
  ['has an error code that says something else', async () => ({ ...good, errorCode: 'FLAG_NOT_FOUND' as never })],
  ['serves the variant by the hand of somebody else', async () => ({ ...good, flagMetadata: {} })],
  ['throws', () => Promise.reject(new Error('broken'))],
] as readonly (readonly [string, Answer])[])('a provider that %s serves nothing', async (_what, answer) => {
  const { served, sentence } = await readBack(provider(answer), asked, never);
  expect({ served, sentence }).toEqual({
    served: false,
    sentence: expect.stringMatching(/^Variant off of flag new-pricing \(FlagSource flags\) is not served: .+\.$/),
  });
});

test('a provider that does not start is an answer in words', async () => {
  const broken = provider(async () => good, { initialize: () => Promise.reject(new Error('connection refused')) });
  expect(await readBack(broken, asked, never)).toMatchObject({
    served: false,
    sentence: expect.stringContaining('connection refused'),
  });
});

test('a provider that hangs is left behind when the caller has waited enough', async () => {
  const enough = new AbortController();
  const hanging = provider(() => {
    enough.abort(new Error('enough'));
    return new Promise(() => {});
  });
  await expect(readBack(hanging, asked, enough.signal)).rejects.toThrow('enough');
});

test('every look closes its provider, and the SDK that the program shares knows of none', async () => {
  const before = OpenFeature.providerMetadata.name;
  let closed = 0;
  for (let n = 0; n < 20; n += 1) {
    const closing = provider(async () => good, { onClose: async () => void (closed += 1) });
    await readBack(closing, asked, never);
  }
  expect(closed).toBe(20);
  expect(OpenFeature.providerMetadata.name).toBe(before);
  expect(OpenFeature.getProvider('serin/flags').metadata.name).toBe(before);
});
