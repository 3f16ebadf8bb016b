import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

test('a secret is seen by nobody but the one who reveals it', () => {
  const token = new Secret('hunter2');
  const shown = [
    JSON.stringify({ token }),
    inspect({ token }, { depth: 9, showHidden: true }),
    format('%s %o %j', token, token, token),
    String(token),
    Object.entries(token).join(''),
    new Error(`refused ${String(token)}`).message,
  ].join(' ');
  expect(shown).not.toContain('hunter2');
  expect(shown).toContain('***');
  expect(token.reveal()).toBe('hunter2');
});
