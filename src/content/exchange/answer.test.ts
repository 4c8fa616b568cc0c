import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { Answer } from './answer.ts';
import { encodeEnd, encodeFrame, endStatuses, frameTypes } from './frames.ts';

/** A stream that keeps what is written, in memory that is used again when it is taken. */
class Sink {
  readonly written: Bytes[] = []; // BOUNDED by the test
  readonly #free: ArrayBuffer[] = []; // BOUNDED by the test
  readonly #lent = new Set<ArrayBufferLike>(); // BOUNDED by the test
  isWriting = false;

  /** `isSlow`: whether the n-th write has to be waited for. */
  stream(isSlow: (n: number) => boolean): Pick<ByteStream, 'memoryFor' | 'write' | 'writePiece'> {
    const writePiece = (piece: Bytes): Promise<void> | undefined => {
      assert.ok(!this.isWriting, 'one write at a time');
      const slow = isSlow(this.written.push(Uint8Array.from(piece)) - 1);
      const take = (): void => {
        this.isWriting = false;
        if (!this.#lent.delete(piece.buffer)) return;
        new Uint8Array(piece.buffer).fill(0xee);
        this.#free.push(piece.buffer as ArrayBuffer);
      };
      this.isWriting = slow;
      return slow ? new Promise((resolve) => setImmediate(resolve)).then(take) : undefined;
    };
    return {
      writePiece,
      write: async (bytes) => writePiece(bytes),
      memoryFor: (length) => {
        if (length < 32 * 1024 || length > 528 * 1024) return undefined;
        const memory = this.#free.pop() ?? new ArrayBuffer(528 * 1024);
        this.#lent.add(memory);
        return new Uint8Array(memory, 0, length);
      },
    };
  }
}

interface Sent {
  /** undefined: it is missing. */
  readonly length: number | undefined;
  /** It is read into memory that the answer offers. */
  readonly isRead: boolean;
}

const block = fc.record({
  length: fc.option(
    fc.oneof(
      fc.integer({ min: 0, max: 6000 }),
      fc.constantFrom(32 * 1024, 100_000, 256 * 1024, 256 * 1024, 256 * 1024, 600_000),
    ),
    { nil: undefined, freq: 8 },
  ),
  isRead: fc.boolean(),
});

async function answerOf(
  sink: Sink,
  sent: readonly Sent[],
  isSlow: (n: number) => boolean,
): Promise<{ readonly taken: number; readonly expected: Bytes }> {
  let taken = 0;
  const stream = sink.stream(isSlow) as ByteStream;
  const answer = new Answer(stream, (bytes) => {
    taken += bytes;
  });
  const expected: Bytes[] = [];
  for (const [i, { length, isRead }] of sent.entries()) {
    if (length === undefined) {
      expected.push(encodeFrame(frameTypes.missing, new Uint8Array()));
      await answer.missing();
      continue;
    }
    const bytes = ((isRead && answer.memoryFor(length)) || new Uint8Array(length)).fill(i);
    expected.push(encodeFrame(frameTypes.block, bytes));
    if (i === sent.length - 1) await answer.end(endStatuses.done, bytes);
    else await answer.block(bytes);
  }
  if (sent.at(-1)?.length === undefined) await answer.end(endStatuses.done);
  expected.push(encodeEnd(endStatuses.done));
  assert.equal(answer.waitingBytes, 0);
  return { taken, expected: concatBytes(...expected) };
}

test('frames come whole and in order, wherever their blocks lay and whoever waited', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(block, { maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      async (sent, slow) => {
        const sink = new Sink();
        const isSlow = (n: number): boolean => slow[n % slow.length] ?? false;
        const { taken, expected } = await answerOf(sink, sent, isSlow);
        const written = concatBytes(...sink.written);
        assert.equal(written.length, expected.length);
        assert.deepEqual(sha256(written), sha256(expected));
        assert.equal(taken, expected.length);
      },
    ),
    { numRuns: 60 },
  );
});

test('two leaves are one write, and the end goes with the last one', async () => {
  const sink = new Sink();
  const leaf: Sent = { length: 256 * 1024, isRead: true };
  await answerOf(sink, [leaf, leaf, leaf, leaf, leaf], () => true);
  const frame = leaf.length === undefined ? 0 : 5 + leaf.length;
  assert.deepEqual(
    sink.written.map(({ length }) => length),
    [2 * frame, 2 * frame, frame + 6],
  );
});

test('small blocks are gathered', async () => {
  const sink = new Sink();
  const small: Sent = { length: 5000, isRead: true };
  await answerOf(
    sink,
    Array.from({ length: 100 }, () => small),
    () => false,
  );
  assert.ok(sink.written.length <= 8, `${sink.written.length} writes`);
});
