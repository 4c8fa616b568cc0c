import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { sha256 } from '../base/hash.ts';
import { decodeHead, layOut, packLimitsOf, sharedOut } from './pack-layout.ts';

const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const block = fc.record({ hash: hashes, bytes: fc.uint8Array({ maxLength: 300 }) });
const blocks = fc.array(block, { maxLength: 40 });

test('a pack says where each of its blocks lies', () => {
  checkProperty(
    fc.property(blocks, fc.nat(2 ** 32 - 1), (given, number) => {
      const { lines, parts, fileBytes, bytes } = layOut(given, number);
      const file = Buffer.concat(parts);
      assert.equal(file.length, fileBytes);
      assert.equal(
        bytes,
        given.reduce((sum, one) => sum + one.bytes.length, 0),
      );
      assert.deepEqual(decodeHead(file, number), lines);
      const read = lines.map(({ hash, place }) => {
        const end = place.offset + place.bytes;
        return [hash, Uint8Array.from(file.subarray(place.offset, end))];
      });
      assert.deepEqual(
        read,
        given.map((one) => [one.hash, one.bytes]),
      );
    }),
  );
});

test('blocks share packs in their order, as many as the limits allow', () => {
  const limits = { bytesMax: 700, blocksMax: 7 };
  checkProperty(
    fc.property(blocks, (given) => {
      const packs = sharedOut(given, limits);
      assert.deepEqual(packs.flat(), given);
      const sums = packs.map((pack) => pack.reduce((sum, { bytes }) => sum + bytes.length, 0));
      for (const [i, pack] of packs.entries()) {
        assert.ok(pack.length > 0 && pack.length <= limits.blocksMax);
        assert.ok((sums[i] ?? 0) <= limits.bytesMax || pack.length === 1);
        const first = packs[i + 1]?.[0];
        if (!first || pack.length === limits.blocksMax) continue;
        assert.ok((sums[i] ?? 0) + first.bytes.length > limits.bytesMax, 'it would have fitted');
      }
    }),
  );
});

test('what is no head of a pack is none', () => {
  const { parts } = layOut([{ hash: sha256(Uint8Array.of(1)), bytes: Buffer.from('block') }], 1);
  const file = Buffer.concat(parts);
  assert.equal(decodeHead(file, 1)?.length, 1);
  for (const length of [0, 7, 8, 47])
    assert.equal(decodeHead(file.subarray(0, length), 1), undefined);
  const tooMany = Buffer.from(file);
  tooMany.writeUInt32BE(2 ** 32 - 1, 4);
  assert.equal(decodeHead(tooMany, 1), undefined);
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(decodeHead(bytes, 1), undefined);
    }),
  );
});

test('packs are small where the budget is', () => {
  assert.equal(packLimitsOf(Number.MAX_SAFE_INTEGER).bytesMax, 8 * 1024 * 1024);
  assert.equal(packLimitsOf(64_000_000).bytesMax, 1_000_000);
});
