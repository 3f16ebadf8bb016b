import { acceptMargin, harmMargins, parseRuleOut, parseTolerate } from './tolerance.ts';

describe('a tolerance in words', () => {
  test.each([
    ['10% or 0.01pp', { ratio: 1.1, absolute: 0.0001 }],
    ['10 % or 0.01 pp', { ratio: 1.1, absolute: 0.0001 }],
    ['10%', { ratio: 1.1, absolute: 0 }],
    ['0.5pp', { ratio: 1, absolute: 0.005 }],
  ])('"%s" is understood', (text, meant) => {
    expect(parseTolerate(text)).toEqual({
      ratio: expect.closeTo(meant.ratio, 12),
      absolute: expect.closeTo(meant.absolute, 12),
    });
  });

  test.each([
    ['2x + 0.2pp', { ratio: 2, absolute: 0.002 }],
    ['1.5x', { ratio: 1.5, absolute: 0 }],
    ['0.2pp', { ratio: 1, absolute: 0.002 }],
    ['2x+0.2pp', { ratio: 2, absolute: 0.002 }],
  ])('"%s" to rule out is understood', (text, meant) => {
    expect(parseRuleOut(text)).toEqual({ ratio: meant.ratio, absolute: expect.closeTo(meant.absolute, 12) });
  });

  test.each(['', '10', 'ten percent', '10% or', '0.01pp or 10%', '10% or 1pp or 2pp', '-1%', '10% + 1pp'])(
    '"%s" is refused with what to write instead',
    (text) => {
      expect(parseTolerate(text)).toMatchObject({
        kind: 'invalid',
        sentence: expect.stringContaining('10% or 0.01pp'),
      });
    },
  );

  test.each(['', '0.5x', '2', '2x or 0.2pp', '2x + 1%', '2x + 1pp + 1pp', '0.2pp + 2x'])(
    '"%s" cannot be ruled out',
    (text) => {
      expect(parseRuleOut(text)).toMatchObject({ kind: 'invalid', sentence: expect.stringContaining('2x + 0.2pp') });
    },
  );

  test('whichever is larger: the canary is fine below either line', () => {
    expect(harmMargins({ ratio: 1.1, absolute: 0.0001 })).toEqual([
      { ratio: 1.1, excess: 0 },
      { ratio: 1, excess: 0.0001 },
    ]);
    expect(harmMargins({ ratio: 1.1, absolute: 0 })).toEqual([{ ratio: 1.1, excess: 0 }]);
    expect(harmMargins({ ratio: 1, absolute: 0.01 })).toEqual([{ ratio: 1, excess: 0.01 }]);
    expect(acceptMargin({ ratio: 2, absolute: 0.002 })).toEqual({ ratio: 2, excess: 0.002 });
  });
});
