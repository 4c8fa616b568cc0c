import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError, errorCodes } from '../base/errors.ts';
import { decodeError, encodeError, statusOfCode } from './status.ts';

test('every error code has a status, and no status has no code', () => {
  assert.deepEqual(Object.keys(statusOfCode).toSorted(), errorCodes.toSorted());
  for (const status of Object.values(statusOfCode)) assert.ok(status >= 400 && status < 600);
});

test('an error survives its JSON form', () => {
  const error = new AltNetError('NAME_CONTESTED', { name: 'a.alt', owners: ['x', 'y'] });
  const back = decodeError(JSON.parse(JSON.stringify(encodeError(error))));
  assert.equal(back?.code, error.code);
  assert.equal(back?.message, error.message);
  assert.deepEqual(back?.details, error.details);
});

test('what is no error of this program is none', () => {
  const others = [undefined, null, 1, 'x', [], {}, { code: 'TIMEOUT' }, { code: 'x', details: {} }];
  for (const other of others) assert.equal(decodeError(other), undefined);
  assert.equal(decodeError({ code: 'NAME_CONTESTED', details: {} }), undefined);
  assert.equal(decodeError({ code: 'constructor', details: {} }), undefined);
});
