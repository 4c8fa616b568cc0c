import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes } from './byte-count.ts';

test('sizes are short', () => {
  const sizes = [0, 1, 999, 1000, 9949, 9950, 999_499, 999_500, 1.5e6, 2e12, 5e15].map(formatBytes);
  assert.deepEqual(sizes, [
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '999 kB',
    '1.0 MB',
    '1.5 MB',
    '2.0 TB',
    '5000 TB',
  ]);
});
