/** How much a peer may send, by what has come and what was taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { encodeFrame, encodeHead, frameTypes } from '../exchange/frames.ts';
import { openAccount, Taking, Untaken } from './account.ts';
import { Lender, openLoans } from './lending.ts';
import { Receiver, roomBytes } from './receiver.ts';
import { type News, takenBytes } from './words.ts';

const leafBytes = 256 * 1024;
const leaf = encodeFrame(frameTypes.block, new Uint8Array(leafBytes));

interface Started {
  readonly receiver: Receiver;
  readonly taking: Taking;
  /** BOUNDED by the test. */
  readonly news: News[];
  readonly push: (octets: Bytes) => void;
  readonly credit: () => number;
  readonly isPaused: () => boolean;
}

function started(): Started {
  const account = openAccount();
  const news: News[] = []; // BOUNDED by the test
  const receiver = new Receiver({
    number: 1,
    lender: new Lender(openLoans()),
    untaken: new Untaken(account),
    timers: systemWorld.timers,
    say: (one) => void news.push(one),
  });
  let isPaused = false;
  const stream = {
    creditBytes: roomBytes,
    grant: (bytes: number) => void (stream.creditBytes += bytes),
    pause: () => void (isPaused = true),
    resume: () => void (isPaused = false),
  };
  receiver.listen(stream);
  return {
    receiver,
    taking: new Taking(account),
    news,
    push(octets) {
      stream.creditBytes -= octets.length;
      receiver.take(octets, 0, octets.length);
    },
    credit: () => stream.creditBytes,
    isPaused: () => isPaused,
  };
}

test('what is not taken and what may come are together no more than there is room for', () => {
  const { receiver, taking, push, credit } = started();
  let untaken = 0;
  while (credit() >= leaf.length) {
    push(leaf);
    untaken += leafBytes;
    assert.ok(credit() + untaken <= roomBytes);
  }
  assert.ok(untaken > roomBytes - 2 * leaf.length);
  assert.equal(taking.took(takenBytes(leafBytes), false), false); // not worth a word
  assert.equal(taking.took(takenBytes(leafBytes), false), true);
  const before = credit();
  receiver.took();
  assert.ok(credit() > before + leafBytes);
  receiver.over();
});

test('who takes everything at once need never say so', () => {
  const { receiver, taking, push, credit } = started();
  for (let n = 0; n < 100; n++) {
    push(leaf);
    assert.equal(taking.took(takenBytes(leafBytes), true), false);
    assert.ok(credit() > leaf.length);
  }
  receiver.over();
});

test('a frame that is as large as the room comes whole', () => {
  const { receiver, push, credit, news } = started();
  push(encodeHead(frameTypes.block, roomBytes));
  const part = new Uint8Array(64 * 1024);
  for (let left = roomBytes; left > 0; left -= part.length) {
    assert.ok(credit() >= part.length);
    push(part);
  }
  receiver.over();
  assert.deepEqual(
    news.map(({ kind }) => kind),
    ['frames', 'over'],
  );
});

test('nothing is read while small frames are more than anybody takes', () => {
  const { receiver, taking, push, isPaused } = started();
  const none = encodeFrame(frameTypes.missing, new Uint8Array());
  const many = concatBytes(...Array<Bytes>(1000).fill(none));
  let count = 0;
  for (; !isPaused(); count += 1000) push(many);
  assert.ok(count * takenBytes(0) <= 3 * roomBytes);
  assert.equal(taking.took(takenBytes(0) * count, true), true);
  receiver.took();
  assert.equal(isPaused(), false);
  receiver.over();
});

test('an end inside a frame is a break, and memory of the frame is used again', () => {
  const { receiver, push, news } = started();
  push(leaf.subarray(0, 1000));
  receiver.over();
  receiver.over();
  const [end, ...more] = news;
  assert.equal(end?.kind === 'over' && end.end, 'broken');
  assert.deepEqual(more, []);
});
