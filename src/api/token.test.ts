import assert from 'node:assert/strict';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { isToken, loadOrCreateToken, readToken } from './token.ts';

test('a token is made once, and for its owner alone', async (t) => {
  const file = path.join(temporaryFolder(t), 'deep', 'registrar-token.txt');
  assert.equal(await readToken(file), undefined);
  const token = await loadOrCreateToken(file);
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(await loadOrCreateToken(file), token);
  assert.equal(await readToken(file), token);
});

test('two that make it at once get the same', async (t) => {
  const file = path.join(temporaryFolder(t), 'registrar-token.txt');
  const tokens = await Promise.all([1, 2, 3].map(() => loadOrCreateToken(file)));
  assert.equal(new Set(tokens).size, 1);
});

test('a token that others can read or that is none is refused by the name of its file', async (t) => {
  const file = path.join(temporaryFolder(t), 'registrar-token.txt');
  writeFileSync(file, 'too short\n', { mode: 0o600 });
  await assert.rejects(loadOrCreateToken(file), {
    code: 'KEY_DAMAGED',
    message: /registrar-token/,
  });
  writeFileSync(file, `${'a'.repeat(64)}\n`);
  chmodSync(file, 0o644);
  await assert.rejects(loadOrCreateToken(file), { code: 'KEY_EXPOSED', message: /chmod 600/ });
  await assert.rejects(readToken(path.dirname(file)), { code: 'KEY_DAMAGED' });
  await assert.rejects(loadOrCreateToken(path.join(file, 'below-a-file')), {
    code: 'PATH_UNREADABLE',
  });
});

test('a token of one’s own choice must be fit for a header and hard to guess', () => {
  assert.ok(isToken('0123456789abcdef'));
  for (const bad of [
    '',
    'short',
    'with a space inside it',
    'a'.repeat(513),
    'ümlautümlautümlaut',
  ]) {
    assert.equal(isToken(bad), false);
  }
});
