import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameHeadBytes, SendMemory } from './send-memory.ts';

const length = 256 * 1024;

function taken(memory: SendMemory, bytes = length): Uint8Array {
  const got = memory.take(bytes);
  assert.ok(got);
  assert.equal(got.length, bytes);
  return got;
}

test('memory is used again when all of it is sent, and not before', () => {
  const memory = new SendMemory();
  const first = taken(memory);
  assert.ok(memory.isOwnerOf(first));
  memory.sent(first.subarray(0, 1000));
  assert.notEqual(taken(memory).buffer, first.buffer);
  memory.sent(first.subarray(1000));
  assert.ok(!memory.isOwnerOf(first));
  assert.equal(taken(memory).buffer, first.buffer);
});

test('octets that were taken and are not written are not waited for', () => {
  const memory = new SendMemory();
  const first = taken(memory);
  memory.sending(first.subarray(0, 100_000));
  memory.sent(first.subarray(0, 60_000));
  assert.ok(memory.isOwnerOf(first));
  memory.sent(first.subarray(60_000, 100_000));
  assert.equal(taken(memory).buffer, first.buffer);
});

test('in front of each piece there is room for a head', () => {
  const piece = taken(new SendMemory());
  assert.equal(piece.byteOffset, frameHeadBytes);
});

test('what is told twice, or belongs to others, is not given out twice', () => {
  const memory = new SendMemory();
  const first = taken(memory);
  memory.sent(first);
  memory.sent(first);
  memory.sent(new Uint8Array(length));
  const again = [taken(memory), taken(memory), taken(memory)].map(({ buffer }) => buffer);
  assert.equal(new Set(again).size, 3);
});

test('small pieces, and those that are larger than a leaf, are not worth it', () => {
  const memory = new SendMemory();
  assert.equal(memory.take(1000), undefined);
  assert.equal(memory.take(2 * 1024 * 1024), undefined);
});
