import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { toHex, utf8 } from './bytes.ts';
import { hmacSha256, sha256 } from './hash.ts';

test('SHA-256 of "abc" in one part or three (FIPS 180-4)', () => {
  const want = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(toHex(sha256(utf8('abc'))), want);
  assert.equal(toHex(sha256(utf8('a'), utf8('b'), utf8('c'))), want);
});

test('HMAC-SHA256 equals that of node:crypto for every key of at most 64 bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes, bytes, (key, first, second) => {
      const want = createHmac('sha256', key).update(first).update(second).digest('hex');
      assert.equal(toHex(hmacSha256(key, first, second)), want);
    }),
  );
  assert.throws(() => hmacSha256(new Uint8Array(65), utf8('x')), RangeError);
});
