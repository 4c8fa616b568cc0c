import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { atEnd } from '../../test/support/cleanup.ts';
import { concatBytes } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { SigningKey } from '../identity/key.ts';
import { PeerHost } from './host.ts';
import { SendMemory } from './send-memory.ts';
import type { ByteStream } from './stream.ts';
import { Outlet } from './yamux-writer.ts';

const protocol = '/test/pieces/1';
const large = 256 * 1024;

async function startHost(t: TestContext): Promise<PeerHost & { publicKey: Uint8Array }> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  return Object.assign(host, { publicKey: key.publicKey });
}

/** A reader, and how it opens a stream to a host that serves it so. */
async function served(
  t: TestContext,
  serve: (stream: ByteStream) => Promise<void>,
): Promise<() => Promise<ByteStream>> {
  const [reader, server] = [await startHost(t), await startHost(t)];
  await server.handle(protocol, serve);
  const target = { publicKey: server.publicKey, addresses: server.addresses() };
  return () => reader.open(target, protocol);
}

/** As who answers does it: in memory of the stream, where there is some. */
async function writeFilled(stream: ByteStream, length: number, octet: number): Promise<void> {
  const memory = stream.memoryFor?.(length) ?? new Uint8Array(length);
  await stream.write(memory.fill(octet));
}

async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.read) chunks.push(chunk);
  return concatBytes(...chunks);
}

function filled(lengths: readonly number[]): Uint8Array {
  return concatBytes(...lengths.map((length, i) => new Uint8Array(length).fill(i)));
}

test('pieces of any length come in order, whatever way they went', async (t) => {
  let lengths: readonly number[] = [];
  const open = await served(t, async (stream) => {
    for (const [i, length] of lengths.entries()) await writeFilled(stream, length, i);
    await stream.close();
  });
  const length = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(32 * 1024, large - 12, large, large + 11, 400_000),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(length, { minLength: 1, maxLength: 24 }), async (some) => {
      lengths = some;
      const stream = await open();
      const got = await readAll(stream);
      assert.deepEqual(sha256(got), sha256(filled(some)));
      await stream.close();
    }),
    { numRuns: 15 },
  );
});

test('what is written in front of a large piece, and behind it, stays there', async (t) => {
  const lengths = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 7 : large));
  const open = await served(t, async (stream) => {
    for (const [i, length] of lengths.entries()) await writeFilled(stream, length, i);
    await stream.close();
  });
  const streams = [await open(), await open(), await open()];
  const all = await Promise.all(streams.map(readAll));
  for (const got of all) assert.deepEqual(sha256(got), sha256(filled(lengths)));
});

test('a reader that takes nothing has a window and no more, and the writer waits', async (t) => {
  let written = 0;
  const stopped = Promise.withResolvers<unknown>();
  const open = await served(t, async (stream) => {
    try {
      for (;;) {
        await writeFilled(stream, large, 1);
        written += large;
      }
    } catch (error) {
      stopped.resolve(error);
    }
  });
  const stream = await open();
  let before = -1;
  for (let same = 0; same < 50; same = written === before ? same + 1 : 0) {
    before = written;
    await setImmediate();
  }
  assert.ok(written < 16 * large, `${written} octets`);
  stream.abort(new Error('enough'));
  assert.ok((await stopped.promise) instanceof Error);
});

/** Which the long way makes two arrays of. */
function isWholeFrame(chunk: unknown): boolean {
  return chunk instanceof Uint8Array && chunk.length > large - 3 && chunk[4] === 0;
}

test('a head lies before its piece, and the memory is used again', async (t) => {
  const { mock } = t.mock.method(TLSSocket.prototype, 'write');
  const used = new Set<ArrayBufferLike>();
  const open = await served(t, async (stream) => {
    for (let i = 0; i < 200; i++) {
      const memory = stream.memoryFor?.(large);
      assert.ok(memory);
      used.add(memory.buffer);
      await stream.write(memory.subarray(0, large - (i % 3)));
    }
    await stream.close();
  });
  const got = await readAll(await open());
  assert.equal(got.length, 200 * large - 199);
  assert.ok(used.size < 16, `${used.size} arrays`);
  const frames = mock.calls.filter(({ arguments: [chunk] }) => isWholeFrame(chunk));
  assert.ok(frames.length > 100, `${frames.length} pieces went the short way`);
});

/** A stream on which something waits, and an outlet beside that. */
function waitingStream(bytes: { readonly ofStream: number; readonly ofConnection: number }): {
  readonly outlet: Outlet;
  readonly goOn: () => void;
} {
  const stream = Object.assign(new EventTarget(), {
    streamId: 1,
    state: 3,
    sendWindowCapacity: 2 * large,
    writeStatus: 'writable',
    writeBufferLength: bytes.ofStream,
    handleWindowUpdate: () => undefined,
  });
  const connection = { writeBufferLength: bytes.ofConnection };
  const onIdle = new Set<() => void>();
  const muxer = { streams: [stream] };
  const below = { muxer, connection, tls: { writable: true }, onIdle };
  const goOn = (): void => {
    stream.writeBufferLength = 0;
    connection.writeBufferLength = 0;
    if (bytes.ofStream > 0) stream.dispatchEvent(new Event('idle'));
    for (const look of onIdle) look();
  };
  return { outlet: new Outlet(stream as never, below as never), goOn };
}

test('a piece goes on once what lies before it has gone, without another word', async (t) => {
  t.mock.method(TLSSocket.prototype, 'write', (...args: readonly unknown[]) => {
    (args[2] as () => void)();
    return true;
  });
  for (const bytes of [
    { ofStream: 7, ofConnection: 0 },
    { ofStream: 0, ofConnection: 7 },
  ]) {
    const memory = new SendMemory();
    const piece = memory.take(large);
    assert.ok(piece);
    const { outlet, goOn } = waitingStream(bytes);
    assert.ok(!outlet.sendNow(piece, memory));
    const sent = outlet.send(piece, memory);
    goOn();
    assert.equal(await sent, large);
  }
});
