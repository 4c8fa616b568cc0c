import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import {
  circuitMessageBytesMax,
  decodeHopConnect,
  decodeStopStatus,
  encodeHopStatus,
  encodeStopConnect,
  readVarint,
} from './circuit-frames.ts';
import { readMessage } from './messages.ts';
import { encodeRelayFrame, type RelayFrame, readRelayFrames, refusals } from './relay-frames.ts';

async function* pieces(bytes: Bytes, size: number): AsyncGenerator<Bytes, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function framesOf(bytes: Bytes, size = bytes.length): Promise<(RelayFrame | undefined)[]> {
  const frames: (RelayFrame | undefined)[] = [];
  for await (const frame of readRelayFrames(pieces(bytes, Math.max(1, size)))) frames.push(frame);
  return frames;
}

const ip = Uint8Array.of(1, 2, 3, 4);
const grant = {
  leaseSeconds: 60,
  circuitBytesMax: 2 ** 40,
  circuitSeconds: 3600,
  observed: { ip, port: 9000 },
};
const all: readonly RelayFrame[] = [
  { type: 'reserve' },
  { type: 'ping' },
  { type: 'pong' },
  { type: 'leaving' },
  { type: 'granted', grant },
  { type: 'granted', grant: { ...grant, observed: undefined } },
  ...refusals.map((reason) => ({ type: 'refused' as const, reason })),
];

test('frames of a link come out as they went in, in whatever pieces', async () => {
  const bytes = concatBytes(...all.map(encodeRelayFrame));
  for (const size of [1, 2, 7, bytes.length]) assert.deepEqual(await framesOf(bytes, size), all);
});

test('what is no frame ends the frames, and never throws', async () => {
  const bad = [
    [0x00, 0],
    [0x01, 1, 0],
    [0x82, 1, 0],
    [0x82, 1, refusals.length + 1],
    [0x81, 33, ...randomBytes(33)],
    [0x85, 0],
  ];
  for (const bytes of bad) assert.deepEqual(await framesOf(Uint8Array.from(bytes)), [undefined]);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      const frames = await framesOf(Uint8Array.from(bytes));
      assert.ok(frames.slice(0, -1).every((frame) => frame !== undefined));
    }),
    { numRuns: 200 },
  );
});

test('messages of circuits are those of libp2p', async () => {
  // HopMessage {type: STATUS, limit: {duration: 7200, data: 2^30}, status: OK}
  const status = encodeHopStatus(100, { seconds: 7200, bytes: 2 ** 30 });
  assert.equal(Buffer.from(status).toString('hex'), '0f0802220908a0381080808080042864');
  // StopMessage {type: CONNECT, peer: {id: "ab"}, limit: {duration: 1, data: 2}}
  const offer = encodeStopConnect(Buffer.from('ab'), { seconds: 1, bytes: 2 });
  assert.equal(
    Buffer.from(offer).toString('hex'),
    '0e080012040a02616 21a0408011002'.replace(' ', ''),
  );
  const peer = Buffer.from('0801120612 04deadbeef'.replace(' ', ''), 'hex');
  assert.equal(decodeHopConnect(peer), undefined, 'its peer has no ID in field 1');
  const asked = Buffer.from('08011206 0a04deadbeef'.replace(' ', ''), 'hex');
  assert.equal(Buffer.from(decodeHopConnect(asked) ?? []).toString('hex'), 'deadbeef');
  assert.equal(decodeStopStatus(Uint8Array.of(8, 1, 32, 100)), 100);
  assert.equal(decodeStopStatus(Uint8Array.of(8, 0, 32, 100)), undefined);
});

test('garbage is no message, and never throws', () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decodeHopConnect(bytes);
      decodeStopStatus(bytes);
      const number = readVarint(bytes, 0);
      assert.ok(number === undefined || Number.isSafeInteger(number.value));
    }),
  );
});

test('a message is read off the front, and only one that is short', async () => {
  const message = encodeHopStatus(204);
  const read = await readMessage(pieces(concatBytes(message, Buffer.from('rest')), 3));
  assert.deepEqual(read?.message, message.subarray(1));
  assert.ok(read && read.rest.length <= 3);
  const long = Uint8Array.of(0x81, 0x08, ...new Uint8Array(circuitMessageBytesMax + 1));
  assert.equal(await readMessage(pieces(long, 100)), undefined);
  assert.equal(await readMessage(pieces(message.subarray(0, 3), 1)), undefined);
  assert.equal(await readMessage(pieces(new Uint8Array(20).fill(0xff), 1)), undefined);
});
