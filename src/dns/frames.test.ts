import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { encodeFrame, FrameReader } from './frames.ts';

test('messages come out as they went in, in whatever pieces', () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 50 });
  const property = fc.property(
    fc.array(message, { maxLength: 10 }),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
    (messages, sizes) => {
      const stream = Buffer.concat(messages.map(encodeFrame));
      const reader = new FrameReader(50);
      const read: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        read.push(...reader.push(stream.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        read.map((one) => [...one]),
        messages.map((one) => [...one]),
      );
      assert.ok(!reader.isBroken);
    },
  );
  checkProperty(property);
});

test('a message of no octets, or of too many, ends the reading', () => {
  for (const head of [
    [0, 0],
    [0, 51],
    [255, 255],
  ]) {
    const reader = new FrameReader(50);
    const whole = encodeFrame(Uint8Array.of(1, 2));
    assert.equal(reader.push(Buffer.concat([whole, Buffer.from(head), whole])).length, 1);
    assert.ok(reader.isBroken);
    assert.deepEqual(reader.push(whole), []);
  }
});
