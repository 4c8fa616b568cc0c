import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { yamuxHead as head } from '../../../test/support/yamux-head.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../../base/bytes.ts';
import { greeting } from '../greeting.ts';
import { LoneYamux } from './yamux.ts';

const [data, window, ping, goAway] = [0, 1, 2, 3];
const [syn, ack, fin, rst] = [1, 2, 4, 8];
const roomBytes = 1024 * 1024;

function frame(text: string, { flags = 0, stream = 1 } = {}): Bytes {
  return concatBytes(head(data, flags, stream, text.length), utf8(text));
}

interface Opened {
  readonly yamux: LoneYamux;
  /** In hexadecimal. BOUNDED by the test. */
  readonly sent: string[];
  readonly got: () => string;
  readonly ends: () => number;
}

function opened({ unsentBytes = 0 } = {}): Opened {
  const sent: string[] = []; // BOUNDED by the test
  let [got, ends] = ['', 0];
  const yamux = new LoneYamux({
    send: (octets) => void sent.push(toHex(octets)),
    unsentBytes: () => unsentBytes,
    take: (memory, from, to) => (got += Buffer.from(memory.subarray(from, to)).toString()),
    ended: () => ends++,
  });
  yamux.open(roomBytes);
  sent.pop();
  return { yamux, sent, got: () => got, ends: () => ends };
}

function feed({ yamux }: Opened, ...parts: readonly Bytes[]): void {
  const octets = concatBytes(...parts);
  yamux.feed(octets, octets.length);
}

const none = (): void => undefined;

test('the first frame opens the stream with all that the peer may send', () => {
  const sent: Bytes[] = []; // BOUNDED by the test
  const send = (octets: Bytes): void => void sent.push(octets);
  const yamux = new LoneYamux({ send, unsentBytes: () => 0, take: none, ended: none });
  yamux.open(roomBytes);
  assert.deepEqual(sent.map(toHex), [toHex(head(window, syn, 1, roomBytes - 256 * 1024))]);
  assert.equal(yamux.creditBytes, roomBytes);
});

test('octets of the stream come out alike wherever what comes is cut', () => {
  const octets = concatBytes(
    head(window, ack, 1, 100),
    frame('one'),
    head(ping, syn, 0, 7),
    head(data, 0, 1, 0),
    frame('not for us', { stream: 2, flags: syn }),
    frame('two'),
    frame('three', { flags: fin }),
    head(goAway, 0, 0, 0),
  );
  for (let cut = 0; cut <= octets.length; cut++) {
    const stream = opened();
    feed(stream, octets.subarray(0, cut));
    feed(stream, octets.subarray(cut));
    assert.deepEqual([stream.got(), stream.ends()], ['onetwothree', 1]);
    const refusal = greeting('na');
    const refused = concatBytes(head(data, ack | fin, 2, refusal.length), refusal);
    assert.deepEqual(stream.sent, [toHex(head(ping, ack, 0, 7)), toHex(refused)]);
    assert.equal(stream.yamux.creditBytes, roomBytes - 'onetwothree'.length);
  }
});

test('a peer that breaks a rule, or gives up, is noticed', () => {
  const bad = [
    Uint8Array.from([1, ...head(data, 0, 1, 1).subarray(1)]),
    head(4, 0, 1, 0),
    head(data, 0, 0, 1),
    head(window, 0, 0, 1),
    head(ping, 0, 1, 0),
    head(ping, ack, 0, 0),
    head(goAway, 0, 0, 1),
    head(window, rst, 1, 0),
    head(data, rst, 1, 0),
    head(data, syn, 3, 0),
    head(data, 0, 1, roomBytes + 1),
    concatBytes(frame('end', { flags: fin }), frame('more')),
  ];
  for (const octets of bad) assert.throws(() => feed(opened(), octets), toHex(octets));
});

test('no more comes than was granted, in one frame or in many', () => {
  const stream = opened();
  feed(stream, frame('a'.repeat(roomBytes)));
  assert.throws(() => feed(stream, frame('b')));
  const other = opened();
  feed(other, frame('a'.repeat(roomBytes)));
  other.yamux.grant(1);
  assert.deepEqual(other.sent, [toHex(head(window, 0, 1, 1))]);
  feed(other, frame('b'));
  assert.equal(other.got().length, roomBytes + 1);
});

test('what is written waits for the window of the peer', () => {
  const stream = opened();
  const text = 'w'.repeat(256 * 1024 + 5);
  stream.yamux.write(utf8(text));
  stream.yamux.write(utf8('more'));
  feed(stream, head(window, 0, 1, 3));
  feed(stream, head(window, 0, 1, 100));
  const lengths = stream.sent.map((octets) => octets.length / 2 - 12);
  assert.deepEqual(lengths, [256 * 1024, 3, 6]);
});

test('a peer that asks and does not listen is left', () => {
  const stream = opened({ unsentBytes: 4 * 1024 * 1024 });
  assert.throws(() => stream.yamux.write(Uint8Array.of(1)));
  assert.throws(() => feed(stream, head(ping, syn, 0, 1)));
  assert.throws(() => feed(stream, head(window, syn, 2, 0)));
});

test('what is written and not let through is bounded', () => {
  const stream = opened();
  const piece = new Uint8Array(64 * 1024);
  assert.throws(() => {
    for (let bytes = 0; bytes < 4 * roomBytes; bytes += piece.length) stream.yamux.write(piece);
  }, /listen/);
});

test('signs of life go on for long, and whoever sends little else is left', () => {
  const calls = [
    head(ping, syn, 0, 1),
    head(window, syn, 2, 0),
    head(window, 0, 1, 1),
    head(data, 0, 1, 0),
    frame('x'.repeat(100), { stream: 2 }),
  ];
  for (const call of calls) {
    const stream = opened();
    const many = Array<Bytes>(1000).fill(call);
    for (let i = 0; i < 5; i++) feed(stream, ...many);
    assert.throws(() => {
      for (let i = 0; i < 100; i++) feed(stream, ...many);
    }, /besides/);
  }
  assert.throws(() => feed(opened(), head(data, syn, 2, 0xffffffff)), /besides/);
});

const someHead = fc
  .record({
    type: fc.constantFrom(data, data, data, window, ping, goAway, 4),
    flags: fc.constantFrom(0, 0, 0, syn, ack, fin, rst, syn | fin),
    stream: fc.constantFrom(0, 1, 1, 1, 2, 3),
    length: fc.oneof(fc.nat(40), fc.constantFrom(roomBytes + 1, 0xffffffff)),
  })
  .map(({ type, flags, stream, length }): Bytes => {
    const bodyBytes = type === data && length <= 40 ? length : 0;
    return concatBytes(head(type, flags, stream, length), new Uint8Array(bodyBytes).fill(length));
  });

/** All that shows outside. */
function outcome(parts: readonly Bytes[]): readonly unknown[] {
  const stream = opened();
  let failure: unknown;
  try {
    for (const part of parts) feed(stream, part);
  } catch (error) {
    failure = error instanceof Error ? error.message : error;
  }
  return [stream.got(), stream.sent, stream.ends(), stream.yamux.creditBytes, failure];
}

test('frames of every kind mean the same wherever they are cut', () => {
  const property = fc.property(
    fc.array(someHead, { maxLength: 12 }),
    fc.array(fc.nat(), { maxLength: 12 }),
    (frames, cuts) => {
      const octets = concatBytes(...frames);
      const ends = cuts.map((cut) => cut % (octets.length + 1)).toSorted((a, b) => a - b);
      const parts = [...ends, octets.length].map((to, i) => octets.subarray(ends[i - 1] ?? 0, to));
      assert.deepEqual(outcome(parts), outcome([octets]));
    },
  );
  checkProperty(property);
});
