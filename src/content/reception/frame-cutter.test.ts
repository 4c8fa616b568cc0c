import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concatBytes, toHex } from '../../base/bytes.ts';
import { encodeEnd, encodeFrame, endStatuses, FrameError, frameTypes } from '../exchange/frames.ts';
import { FrameCutter } from './frame-cutter.ts';

function take(length: number): Bytes {
  return new Uint8Array(length);
}

function cutterOf(): { cutter: FrameCutter; frames: string[] } {
  const frames: string[] = []; // BOUNDED by the test
  const onFrame = (type: number, body: Bytes): void => void frames.push(`${type} ${toHex(body)}`);
  return { cutter: new FrameCutter({ take, onFrame }), frames };
}

const octets = concatBytes(
  encodeFrame(frameTypes.block, Uint8Array.of(1, 2, 3)),
  encodeFrame(frameTypes.missing, new Uint8Array()),
  encodeFrame(frameTypes.block, new Uint8Array()),
  encodeFrame(frameTypes.block, Uint8Array.of(4)),
  encodeEnd(endStatuses.done),
);
const whole = ['129 010203', '130 ', '129 ', '129 04', '131 00'];

test('frames are the same wherever what comes is cut', () => {
  for (let first = 0; first <= octets.length; first++) {
    for (let second = first; second <= octets.length; second++) {
      const { cutter, frames } = cutterOf();
      cutter.push(octets, 0, first);
      cutter.push(octets, first, second);
      cutter.push(octets, second, octets.length);
      assert.deepEqual(frames, whole);
      assert.equal(cutter.isInside, false);
    }
  }
});

test('an end is inside a frame everywhere but between two', () => {
  const between = new Set([0, 8, 13, 18, 24, 30]);
  for (let end = 0; end <= octets.length; end++) {
    const { cutter } = cutterOf();
    cutter.push(octets, 0, end);
    assert.equal(cutter.isInside, !between.has(end), `${end}`);
  }
});

test('what is no frame is refused before memory is taken for it, after what came before', () => {
  const bad = [
    [0x42, 0, 0, 0, 0],
    [frameTypes.block, 0, 0x20, 0, 1],
    [frameTypes.missing, 0, 0, 0, 1],
    [frameTypes.end, 0, 0, 0, 2],
  ];
  for (const head of bad) {
    const { cutter, frames } = cutterOf();
    const all = concatBytes(octets, Uint8Array.from(head));
    assert.throws(() => cutter.push(all, 0, all.length), FrameError);
    assert.deepEqual(frames, whole);
    assert.equal(cutter.drop(), undefined);
  }
});

test('what is not all here is let go of once', () => {
  const { cutter, frames } = cutterOf();
  cutter.push(octets, 0, 7);
  assert.equal(cutter.drop()?.length, 3);
  assert.deepEqual([cutter.drop(), frames], [undefined, []]);
});
