import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader, Writer } from './octets.ts';

test('what is written is read back, at any offset of the memory behind it', () => {
  const written = new Writer(64)
    .u8(0xff)
    .u16(0xfffe)
    .u32(0xffff_fffd)
    .u64(0xffff_ffff_ffff_fffcn)
    .bytes(Uint8Array.of(1, 2, 3))
    .zeros(2)
    .done();
  assert.equal(written.length, 20);
  for (const offset of [0, 1, 7]) {
    const memory = new Uint8Array(offset + written.length + 9).fill(0xaa);
    memory.set(written, offset);
    const reader = new Reader(memory.subarray(offset, offset + written.length));
    assert.equal(reader.u8(), 0xff);
    assert.equal(reader.u16(), 0xfffe);
    assert.equal(reader.u32(), 0xffff_fffd);
    assert.equal(reader.u64(), 0xffff_ffff_ffff_fffcn);
    assert.deepEqual(reader.bytes(3), Uint8Array.of(1, 2, 3));
    reader.skip(2);
    assert.equal(reader.left, 0);
    assert.ok(reader.complete);
  }
});

test('what is missing reads as zeros, and the reader stays incomplete', () => {
  const reader = new Reader(Uint8Array.of(1, 2, 3));
  assert.equal(reader.u32(), 0);
  assert.equal(reader.complete, false);
  assert.equal(reader.u8(), 0, 'also what would still be there');
  assert.equal(reader.u16(), 0);
  assert.equal(reader.u64(), 0n);
  assert.equal(reader.bytes(1).length, 0);
  assert.equal(reader.complete, false);
});

test('bytes that were read do not change with the datagram', () => {
  const datagram = Uint8Array.of(1, 2);
  const read = new Reader(datagram).bytes(2);
  datagram.fill(0);
  assert.deepEqual(read, Uint8Array.of(1, 2));
});

test('writing past the end throws: it is a bug here, not a peer', () => {
  assert.throws(() => new Writer(1).u16(1), RangeError);
  assert.throws(() => new Writer(1).bytes(new Uint8Array(2)), RangeError);
  assert.equal(new Writer(5).u8(1).left, 4);
});
