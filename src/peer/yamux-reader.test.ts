import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { yamuxHead } from '../../test/support/yamux-head.ts';
import { concatBytes } from '../base/bytes.ts';
import { readShortWay, takeData } from './yamux-reader.ts';

const [data, windowUpdate] = [0, 1];
const fin = 4;

function frame(
  type: number,
  streamId: number,
  { flags = 0, body = new Uint8Array() } = {},
): Buffer {
  return Buffer.from(concatBytes(yamuxHead(type, flags, streamId, body.length), body));
}

interface Seen {
  readonly type: number;
  readonly flag: number;
  readonly length: number;
}

/** A muxer with stream 1, which is read the short way, and what it is told besides. */
function muxerWithStream({ windowBytes = 1000, readBufferLength = 0 } = {}) {
  const stream = {
    streamId: 1,
    readStatus: 'readable',
    readBufferLength,
    recvWindow: windowBytes,
    recvWindowCapacity: windowBytes,
    maxStreamWindowSize: 4 * windowBytes,
    epochStart: Date.now(),
    updates: 0,
    sendWindowUpdate(): void {
      this.updates++;
      this.recvWindowCapacity = this.recvWindow;
    },
  };
  const told: Seen[] = [];
  const muxer = {
    protocol: '/yamux/1.0.0',
    status: 'open',
    streams: [stream],
    onData: (parts: readonly Uint8Array[]): void => assert.equal(parts.length, 0),
    handleFrame: ({ header: { type, flag, length } }: { header: Seen }): void => {
      told.push({ type, flag, length });
    },
  };
  const taken: Buffer[] = [];
  takeData(stream as unknown as Stream, ({ of, from, to }) => {
    taken.push(Buffer.from(of.subarray(from, to)));
  });
  readShortWay(muxer as unknown as StreamMuxer, { readBufferLength: 1 } as MessageStream);
  return { muxer, stream, told, taken };
}

test('a stream gets its data in order, wherever the octets are cut', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 });
  checkProperty(
    fc.property(cuts, (lengths) => {
      const { muxer, told, taken } = muxerWithStream();
      const bodies = lengths.map((length, i) => new Uint8Array(length).fill(i));
      const all = concatBytes(
        ...bodies.flatMap((body) => [frame(data, 1, { body }), frame(windowUpdate, 1)]),
      );
      for (let at = 0, i = 0; at < all.length; i++) {
        const to = at + (lengths[i % lengths.length] ?? 1);
        muxer.onData([all.subarray(at, to)]);
        at = to;
      }
      assert.deepEqual(Buffer.concat(taken), Buffer.from(concatBytes(...bodies)));
      assert.deepEqual(
        told.map(({ type }) => type),
        bodies.map(() => windowUpdate),
      );
    }),
  );
});

test('windows are opened when half of them is used, and grow with who is swift', () => {
  const { muxer, stream } = muxerWithStream();
  muxer.onData([frame(data, 1, { body: new Uint8Array(499) })]);
  assert.equal(stream.updates, 0);
  muxer.onData([frame(data, 1, { body: new Uint8Array(1) })]);
  assert.deepEqual([stream.updates, stream.recvWindow], [1, 2000]);
  stream.epochStart -= 60_000;
  muxer.onData([frame(data, 1, { body: new Uint8Array(1000) })]);
  assert.deepEqual([stream.updates, stream.recvWindow], [2, 2000]);
});

test('more than the window allows, and what is no yamux, is refused', () => {
  const { muxer } = muxerWithStream();
  assert.throws(() => muxer.onData([frame(data, 1, { body: new Uint8Array(1001) })]), /window/);
  const { muxer: other } = muxerWithStream();
  assert.throws(() => other.onData([Buffer.alloc(12, 9)]), /version/);
  const { muxer: third } = muxerWithStream();
  assert.throws(() => third.onData([frame(data, 0, { body: new Uint8Array(5) })]), /no stream/);
});

test('a flag that closes comes with the last part, one that opens with the first', () => {
  const { muxer, told, taken } = muxerWithStream();
  const whole = frame(data, 1, { flags: 1 | fin, body: new Uint8Array(100) });
  muxer.onData([whole.subarray(0, 40), whole.subarray(40, 50), whole.subarray(50)]);
  assert.deepEqual(
    told.map(({ flag, length }) => [flag, length]),
    [
      [1, 28],
      [fin, 62],
    ],
  );
  assert.deepEqual(
    taken.map(({ length }) => length),
    [10],
  );
});

test('what waits in a stream goes first, and an unknown stream is left to the muxer', () => {
  const { muxer, told, taken } = muxerWithStream({ readBufferLength: 5 });
  muxer.onData([frame(data, 1, { body: new Uint8Array(7) })]);
  muxer.onData([frame(data, 3, { body: new Uint8Array(8) }), frame(data, 1)]);
  assert.deepEqual(
    told.map(({ length }) => length),
    [7, 8, 0],
  );
  assert.deepEqual(taken, []);
});
