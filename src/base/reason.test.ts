import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AltNetError } from './errors.ts';
import { reasonOf } from './reason.ts';

const secret = 'text of a peer';

test('codes, not words', async () => {
  assert.equal(reasonOf(new AltNetError('BAD_NAME', { name: secret, why: secret })), 'BAD_NAME');
  const cause = await readFile('/nowhere/at/all').catch((error: unknown) => error);
  assert.equal(reasonOf(cause), 'ENOENT');
  assert.equal(
    reasonOf(new AltNetError('DISK_FULL', { folder: secret }, { cause })),
    'DISK_FULL (ENOENT)',
  );
});

test('where a fault of ours is, not what it says', () => {
  const error = new TypeError(secret);
  assert.match(reasonOf(error), /^TypeError at base\/reason\.test\.ts:\d+( < [\w./-]+:\d+){0,2}$/);
  const wrapped = new AltNetError('INTERNAL', { what: secret }, { cause: error });
  assert.match(reasonOf(wrapped), /^AltNetError at .* \(TypeError at .*\)$/);
});

test('what a peer put into an error gets nowhere', () => {
  const fake = `x\n    at evil/${secret}/code.ts:1:1\n    at evil/code.ts:1:1`;
  const odd = Object.assign(new Error(fake), { code: secret });
  const named = Object.assign(new Error(fake), { name: `${secret}\n    at evil/code.ts:1:1` });
  for (const error of [new Error(fake), odd, named, secret, { toString: () => secret }]) {
    assert.doesNotMatch(reasonOf(error), /text of a peer|evil/);
  }
  const later = new Error('short');
  assert.match(later.stack ?? '', /short/); // from now on it does not follow the message
  later.message = fake;
  assert.equal(reasonOf(later), 'Error');
});

test('a chain of causes without end is cut', () => {
  const error = new Error('a');
  error.cause = error;
  assert.equal(reasonOf(error).match(/Error at/g)?.length, 3);
});
