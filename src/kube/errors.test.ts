import { DeadlineExceeded } from './deadline.ts';
import { errorOfAnswer, errorOfFailure, isKubeError, KubeError } from './errors.ts';

const tried = { method: 'PATCH', path: '/x', action: 'patch Deployment shop/checkout' };
const status = (fields: object) => JSON.stringify({ kind: 'Status', message: 'said so', ...fields });

test.each([
  [400, {}, 'Invalid', 'never'],
  [401, {}, 'Unauthorized', 'backoff'],
  [403, { reason: 'Forbidden' }, 'Forbidden', 'never'],
  [404, { reason: 'NotFound' }, 'NotFound', 'never'],
  [409, { reason: 'AlreadyExists' }, 'AlreadyExists', 'never'],
  [409, { reason: 'Conflict' }, 'Conflict', 'now'],
  [
    409,
    { reason: 'Conflict', details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec' }] } },
    'Conflict',
    'never',
  ],
  [410, { reason: 'Expired' }, 'Gone', 'now'],
  [415, {}, 'Invalid', 'never'],
  [422, { reason: 'Invalid' }, 'Invalid', 'never'],
  [429, {}, 'TooManyRequests', 'backoff'],
  [500, {}, 'Unavailable', 'backoff'],
  [503, {}, 'Unavailable', 'backoff'],
  [504, { reason: 'Timeout' }, 'Timeout', 'backoff'],
  [418, {}, 'Unexpected', 'backoff'],
])('an answer %i %j is %s, to be retried: %s', (httpStatus, fields, code, retry) => {
  const error = errorOfAnswer(tried, httpStatus, status(fields), undefined);
  expect(error).toMatchObject({ code, retry, httpStatus });
  expect(error.message).toBe('patch Deployment shop/checkout: the API server refused: said so');
});

test('keeps the fields the server named, and how long it asked to wait', () => {
  const details = {
    causes: [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'no' }],
    retryAfterSeconds: 3,
  };
  const error = errorOfAnswer(tried, 422, status({ details }), undefined);
  expect(error.causes).toEqual(details.causes);
  expect(error.retryAfterMs).toBe(3000);
  expect(errorOfAnswer(tried, 429, '', '7').retryAfterMs).toBe(7000);
  expect(errorOfAnswer(tried, 429, '', 'Wed, 21 Oct 2015 07:28:00 GMT').retryAfterMs).toBeUndefined();
});

test('a page of somebody else is not shown', () => {
  for (const body of ['<html>secret</html>', '{"message":"secret"}', 'null', '"secret"']) {
    expect(errorOfAnswer(tried, 502, body, undefined).message).toBe(
      'patch Deployment shop/checkout: the API server refused: HTTP 502',
    );
  }
});

test('a write without an answer leaves in doubt whether it took effect; a read does not', () => {
  const late = new DeadlineExceeded(10_000);
  expect(errorOfFailure(tried, late).message).toContain('whether it took effect is unknown');
  expect(errorOfFailure({ method: 'GET', path: '/x' }, late).message).toBe(
    'GET /x: no answer within 10 s from the API server',
  );
});

test('one kind of error leaves this folder, with its cause', () => {
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const error = errorOfFailure(tried, cause);
  expect(error).toBeInstanceOf(KubeError);
  expect(error).toMatchObject({ code: 'Network', cause });
  expect(error.message).toContain('(ECONNREFUSED)');
  expect(errorOfFailure(tried, error)).toBe(error);
  expect(isKubeError(error, 'Network', 'Timeout')).toBe(true);
  expect(isKubeError(error, 'Timeout')).toBe(false);
  expect(isKubeError(cause)).toBe(false);
});
