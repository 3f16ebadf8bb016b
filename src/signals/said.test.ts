import { shown, shownPlace } from './said.ts';

test.each([
  ['query timed out', 'query timed out'],
  ['two\n lines\tand\u0007 a bell', 'two lines and a bell'],
  ['Authorization: Bearer abc.def', 'Authorization: ***'],
  ['got bearer eyJhbGciOi.xyz here', 'got bearer *** here'],
  ['{"token":"abc","user":"bob"}', '{"token":"***","user":"bob"}'],
  ['api_key=123&x=1', 'api_key=***&x=1'],
  ['dial https://bob:pw@prometheus:9090', 'dial https://***@prometheus:9090'],
  ['the basic rules apply', 'the basic rules apply'],
])('%j is shown as %j', (said, expected) => {
  expect(shown(said)).toBe(expected);
});

test('a long text is cut', () => {
  expect(shown('x'.repeat(5000))).toBe(`${'x'.repeat(200)}…`);
});

test('of a place to go to, query and fragment are left out', () => {
  expect(shownPlace('https://login.example/auth?state=abc#token=def')).toBe('https://login.example/auth');
  expect(shownPlace('/login?next=%2F')).toBe('/login');
});
