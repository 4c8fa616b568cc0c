import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { concatBytes, toHex, utf8 } from './bytes.ts';
import { hmacSha256, sha256, sha256Text } from './hash.ts';

test('SHA-256 of "abc" in one part or three (FIPS 180-4)', () => {
  const want = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(toHex(sha256(utf8('abc'))), want);
  assert.equal(toHex(sha256(utf8('a'), utf8('b'), utf8('c'))), want);
  assert.equal(toHex(Buffer.from(sha256Text(utf8('abc')), 'latin1')), want);
});

test('HMAC-SHA256 equals that of node:crypto for every key of at most 64 bytes', () => {
  // Up to beyond the memory that short inputs are joined in.
  const bytes = fc.uint8Array({ maxLength: 3000, size: 'max' });
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes, bytes, (key, first, second) => {
      const want = createHmac('sha256', key).update(first).update(second).digest('hex');
      assert.equal(toHex(hmacSha256(key, first, second)), want);
    }),
  );
  assert.throws(() => hmacSha256(new Uint8Array(65), utf8('x')), RangeError);
});

test('SHA-256 of many parts equals that of their concatenation', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 1000, size: 'max' }), { maxLength: 6 });
  checkProperty(
    fc.property(parts, (some) => {
      const want = createHash('sha256')
        .update(concatBytes(...some))
        .digest('hex');
      assert.equal(toHex(sha256(...some)), want);
    }),
  );
});
