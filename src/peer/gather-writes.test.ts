import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';
import { concatBytes } from '../base/bytes.ts';
import { gatherWrites } from './gather-writes.ts';
import { SendMemory } from './send-memory.ts';

/** A socket that is never connected, and what would have been written to it. */
function recorded(): {
  readonly socket: TLSSocket;
  readonly memory: SendMemory;
  readonly written: Uint8Array[];
} {
  const socket = new TLSSocket(new Duplex({ read: () => undefined }));
  const written: Uint8Array[] = [];
  socket.write = (piece: Uint8Array | string, ...rest: unknown[]): boolean => {
    written.push(Buffer.from(piece as Uint8Array));
    for (const done of rest) if (typeof done === 'function') done(null);
    return true;
  };
  const memory = new SendMemory();
  gatherWrites(socket, memory);
  return { socket, memory, written };
}

const piece = (length: number, n: number): Uint8Array => new Uint8Array(length).fill(n);

test('small pieces of one turn go as one', async () => {
  const { socket, written } = recorded();
  for (const n of [1, 2, 3]) assert.equal(socket.write(piece(12, n)), true);
  assert.deepEqual(written, []);
  await setImmediate();
  socket.write(piece(12, 4));
  await setImmediate();
  const [first, second] = written;
  assert.deepEqual(first, Buffer.from(concatBytes(piece(12, 1), piece(12, 2), piece(12, 3))));
  assert.deepEqual(second, Buffer.from(piece(12, 4)));
});

test('a large piece goes at once, behind what was written before it', () => {
  const { socket, written } = recorded();
  socket.write(piece(12, 1));
  socket.write(piece(100_000, 2));
  socket.write('text');
  socket.destroySoon();
  const whole = concatBytes(piece(12, 1), piece(100_000, 2), Buffer.from('text'));
  assert.deepEqual(Buffer.concat(written), Buffer.from(whole));
  assert.deepEqual(written.length, 3);
});

test('what lies in memory to be used again takes its head along, and comes back', () => {
  const { socket, memory, written } = recorded();
  const taken = memory.take(100_000);
  assert.ok(taken);
  taken.fill(2);
  socket.write(piece(12, 1));
  socket.write(taken.subarray(0, 70_000));
  socket.write(piece(12, 3));
  socket.write(taken.subarray(70_000));
  assert.deepEqual(
    written.map(({ length }) => length),
    [70_012, 12, 30_000],
  );
  const whole = concatBytes(piece(12, 1), piece(70_000, 2), piece(12, 3), piece(30_000, 2));
  assert.deepEqual(Buffer.concat(written), Buffer.from(whole));
  assert.ok(!memory.isOwnerOf(taken));
  assert.equal(memory.take(100_000)?.buffer, taken.buffer);
});

test('more than is worth holding back goes', () => {
  const { socket, written } = recorded();
  for (let i = 0; i < 20; i++) socket.write(piece(4096, i));
  assert.equal(written.length, 1);
});
