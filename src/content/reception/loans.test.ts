/**
 * Memory that several streams share: between the thread that hashes a block and the moment at which
 * it is given back, nobody writes there, whatever the peers send and whoever gives up.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { manualWorld, type ManualWorld } from '../../../test/support/manual-world.ts';
import { type Bytes } from '../../base/bytes.ts';
import { sha256Text } from '../../base/hash.ts';
import { encodeFrame, type Frame, type FrameSource, frameTypes } from '../exchange/frames.ts';
import { Slabs } from '../slabs.ts';
import { openAccount, Untaken } from './account.ts';
import { Borrower, Lender, openLoans } from './lending.ts';
import { ReceivedStream } from './received-stream.ts';
import { Receiver, roomBytes } from './receiver.ts';
import type { News } from './words.ts';

/** One stream, both ends of it and what the peer has still to send. */
interface Line {
  readonly receiver: Receiver;
  readonly received: ReceivedStream;
  readonly frames: FrameSource;
  readonly granted: { creditBytes: number };
  rest: Bytes;
  /** Frames that the main thread may take. */
  ready: number;
}

class Both {
  readonly #world: ManualWorld = manualWorld();
  readonly #loans: SharedArrayBuffer = openLoans();
  readonly #lender = new Lender(this.#loans);
  readonly #borrower = new Borrower(this.#loans);
  readonly #slabs = new Slabs(0);
  /** On their way. BOUNDED by the test. */
  readonly #news: { readonly line: () => Line; readonly news: News }[] = [];
  readonly #lines: Line[]; // BOUNDED by the test
  /** As if on their way to the disk. BOUNDED by the test. */
  readonly #held: Frame[] = [];
  #blocks = 0;
  checked = 0;

  constructor(lines: number) {
    this.#lines = Array.from({ length: lines }, () => this.#open());
  }

  #open(): Line {
    const account = openAccount();
    const granted = { creditBytes: roomBytes };
    const receiver = new Receiver({
      number: 0,
      lender: this.#lender,
      untaken: new Untaken(account),
      timers: this.#world.timers,
      say: (news) => void this.#news.push({ line: () => line, news }),
    });
    receiver.listen({
      get creditBytes() {
        return granted.creditBytes;
      },
      grant: (bytes) => void (granted.creditBytes += bytes),
      pause: () => undefined,
      resume: () => undefined,
    });
    const received = new ReceivedStream(new Uint8Array(32), {
      number: 0,
      account,
      borrower: this.#borrower,
      slabs: this.#slabs,
      say: ({ kind }) => (kind === 'took' ? receiver.took() : undefined),
      onReceived: () => undefined,
    });
    const frames = received.frames(() => undefined);
    const rest = new Uint8Array();
    const line: Line = { receiver, received, frames, granted, rest, ready: 0 };
    return line;
  }

  #line(n: number): Line {
    return this.#lines[n % this.#lines.length] ?? assert.fail();
  }

  /** The peer of one sends so much, of blocks of that size. */
  send(n: number, { bytes, blockBytes }: { bytes: number; blockBytes: number }): void {
    const line = this.#line(n);
    for (let left = Math.min(bytes, line.granted.creditBytes); left > 0;) {
      if (line.rest.length === 0) {
        line.rest = encodeFrame(frameTypes.block, Buffer.alloc(blockBytes, ++this.#blocks));
      }
      const part = line.rest.subarray(0, left);
      line.rest = line.rest.subarray(part.length);
      left -= part.length;
      line.granted.creditBytes -= part.length;
      line.receiver.take(part, 0, part.length);
    }
  }

  /** Time passes, and the main thread hears so much of what was said. */
  hear(count: number): void {
    this.#world.advance(3);
    for (const { line, news } of this.#news.splice(0, count)) {
      if (news.kind !== 'frames') continue;
      this.#borrower.learn(news.made);
      line().received.hear(news);
      line().ready += news.frames.length / 3;
    }
  }

  take(n: number): void {
    const line = this.#line(n);
    for (let i = 0; i < 3 && line.ready > 0; i++, line.ready--) {
      const frame = line.frames.next();
      assert.ok(frame && !(frame instanceof Promise));
      this.#held.push(frame);
    }
  }

  /** It is on the disk. */
  store(n: number): void {
    const [frame] = this.#held.splice(n % Math.max(1, this.#held.length), 1);
    if (!frame) return;
    assert.equal(sha256Text(frame.body), frame.digest);
    this.#slabs.give(frame.body);
    this.checked++;
  }

  /** The main thread gives one up, which goes on for a moment, and opens another. */
  giveUp(n: number): void {
    const { received, receiver } = this.#line(n);
    received.abort(new Error('given up'));
    receiver.over(new Error('given up'));
    this.#lines[n % this.#lines.length] = this.#open();
  }

  /** Everything is given back: all slabs that there are can be had. */
  finish(): void {
    for (const [n] of this.#lines.entries()) this.giveUp(n);
    this.hear(Infinity);
    while (this.#held.length > 0) this.store(0);
    const lent = new Set<ArrayBufferLike>();
    for (let i = 0; i < 96; i++) lent.add(this.#lender.take(256 * 1024).buffer);
    assert.equal([...lent].filter((one) => one instanceof SharedArrayBuffer).length, 96);
    for (const [n] of this.#lines.entries()) this.giveUp(n);
  }
}

const size = fc.constantFrom(20_000, 32 * 1024, 100_000, 256 * 1024, 256 * 1024, 300_000);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('send'), fc.nat(2), fc.nat(900_000), size) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('hear'), fc.nat(4)) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('take'), fc.nat(2)) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('store'), fc.nat(20)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('giveUp'), fc.nat(2)) },
);

test('a block is what it was when it was hashed, until it is given back', () => {
  let checked = 0;
  const property = fc.property(fc.array(step, { minLength: 60, maxLength: 200 }), (steps) => {
    const both = new Both(3);
    for (const [what, n, bytes = 0, blockBytes = 1] of steps) {
      if (what === 'send') both.send(n, { bytes, blockBytes });
      else if (what === 'hear') both.hear(n);
      else if (what === 'take') both.take(n);
      else if (what === 'store') both.store(n);
      else both.giveUp(n);
    }
    both.finish();
    checked += both.checked;
  });
  fc.assert(property, { numRuns: 8 });
  assert.ok(checked > 10, `${checked} blocks`);
});
