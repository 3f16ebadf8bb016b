import { appPreset } from '../signals/presets/app.ts';
import { parseSelector } from './selector.ts';

describe('the selectors that the demo answers', () => {
  test('are those that the judge asks with', () => {
    const [asked = ''] = appPreset('shop', ['checkout-1', 'check.out-2'], () => 'canary').selectors;
    const selector = parseSelector(`${asked}[12345ms]`);
    expect(selector?.rangeMs).toBe(12_345);
    const labels = { __name__: 'http_requests_total', namespace: 'shop', pod: 'checkout-1', code: '200' };
    expect(selector?.matches(labels)).toBe(true);
    expect(selector?.matches({ ...labels, __name__: 'up' })).toBe(true);
    expect(selector?.matches({ ...labels, pod: 'check.out-2' })).toBe(true);
    expect(selector?.matches({ ...labels, pod: 'checkXout-2' })).toBe(false);
    expect(selector?.matches({ ...labels, pod: 'checkout-12' })).toBe(false);
    expect(selector?.matches({ ...labels, namespace: 'other' })).toBe(false);
  });

  test.each([
    ['up[5m]', { __name__: 'up' }, true],
    ['up{}[5m]', { __name__: 'down' }, false],
    ['{code!="200"}[1s]', { code: '500' }, true],
    ['{code!~"2..|3.."}[1s]', { code: '204' }, false],
    ['{absent=""}[1s]', {}, true],
    ['{words="say \\"a, b\\""}[1s]', { words: 'say "a, b"' }, true],
  ])('%s reads %j: %s', (query, labels, isMatch) => {
    expect(parseSelector(query)?.matches(labels)).toBe(isMatch);
  });

  test.each(['up', 'rate(up[5m])', '{a="b"', '{a="b" c="d"}[1m]', '{a=~"("}[1m]', '[1m]', ''])(
    '%s is something else',
    (query) => {
      expect(parseSelector(query)).toBeUndefined();
    },
  );
});
