import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError } from './errors.ts';

test('users read words, callers the code of the system', () => {
  const bind = new AltNetError('BIND_FAILED', { address: '127.0.0.1:80', why: 'EACCES' });
  assert.equal(bind.message, 'cannot listen on 127.0.0.1:80: permission denied');
  assert.deepEqual(bind.details, { address: '127.0.0.1:80', why: 'EACCES' });
  const read = new AltNetError('PATH_UNREADABLE', { path: '/a', why: 'EISDIR' });
  assert.equal(read.message, '/a cannot be read: it is a folder');
  const write = new AltNetError('PATH_UNSUPPORTED', {
    path: '/a',
    why: 'it cannot be written (EROFS)',
  });
  assert.equal(write.message, '/a cannot be used: it cannot be written (the disk is read-only)');
});

test('a code without words stays, and so does what only looks like one', () => {
  const why = 'EWHATEVER in /srv/EACCES/x';
  const error = new AltNetError('PATH_UNREADABLE', { path: '/a', why });
  assert.equal(error.message, `/a cannot be read: ${why}`);
});
