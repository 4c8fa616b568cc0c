/**
 * A libp2p stream as the rest of the program sees it: bytes in, bytes out, with back-pressure both
 * ways. It works around what was measured in libp2p 3 (docs/spec/exchange.md, "Streams"): `onDrain`
 * never waits twice, iterating a stream queues without limit, and a stream that ends has not
 * thereby delivered everything. It knows nothing of what the bytes mean.
 */
import type { Stream } from '@libp2p/interface';
import { AltNetError } from '../base/errors.ts';
import type { Bytes } from '../base/bytes.ts';
import { type Chunks, closedDetails, Inbox, type InboxOptions } from './inbox.ts';
import type { SendMemory } from './send-memory.ts';
import { type Outlet, outletOf } from './yamux-writer.ts';

export type { Traffic } from './inbox.ts';

export interface ByteStream {
  /** The peer's Ed25519 node key, proven by the handshake: 32 bytes. */
  readonly remote: Bytes;
  /**
   * Chunks as they come, for one reader. Ends when the peer closed its side, which says nothing of
   * completeness; throws UNREACHABLE when the stream was torn down, or the reason of `abort`.
   */
  readonly read: Chunks;
  /** Resolves when more may be written; rejects when the stream is closed. One write at a time. */
  write(bytes: Bytes): Promise<void>;
  /**
   * Memory of that length, to be filled, written whole and then left alone: it is used again.
   * Undefined, or left out, where an array of one's own is as good.
   */
  readonly memoryFor?: (bytes: number) => Bytes | undefined;
  /** As `write`, of what lies in such memory; undefined when more may be written at once. */
  readonly writePiece?: (piece: Bytes) => Promise<void> | undefined;
  /** Whether there is a better way to the peer by now: what is opened from now on goes there. */
  readonly isOutdated?: () => boolean;
  /** Closes both sides in order; a peer that does not follow within 5 s is cut off. */
  close(): Promise<void>;
  /** Drops the stream at once. Waiting reads and writes reject with `reason`. */
  abort(reason: Error): void;
}

/** Unread bytes of a stream that a peer opened: what it asks is short, and others ask as well. */
export const askedBytesMax: number = 64 * 1024;
/** Written bytes that may wait in libp2p for the connection to take them. */
const unsentBytesMax = 512 * 1024;
const closeMs = 5000;

export interface ByteStreamOptions extends InboxOptions {
  readonly memory?: SendMemory | undefined;
}

export function byteStream(
  stream: Stream,
  remote: Bytes,
  options: ByteStreamOptions = {},
): ByteStream {
  const inbox = new Inbox(stream, options);
  let outlet: Outlet | undefined;
  const lost = (): Error => inbox.failure ?? new AltNetError('UNREACHABLE', closedDetails);
  const { memory, traffic } = options;
  const requireOpen = (): void => {
    if (stream.writeStatus !== 'writable') throw lost();
  };
  const sendLongWay = async (bytes: Bytes): Promise<void> => {
    stream.send(bytes);
    // Some bytes may wait in libp2p, so that it need not wait for the writer after a drain. After
    // one it sends what it holds and may be saturated again: hence a loop.
    while (stream.writeBufferLength > unsentBytesMax) {
      if (!(await drained(stream))) throw lost();
    }
  };
  /** What the peer does not take at once, or what is behind something that waits. */
  const sendInTime = async (piece: Bytes, pieces: SendMemory): Promise<void> => {
    const rest = piece.subarray((await outlet?.send(piece, pieces)) ?? 0);
    if (rest.length === 0) return outlet?.room();
    requireOpen();
    await sendLongWay(rest);
  };
  const writePiece = (piece: Bytes): Promise<void> | undefined => {
    requireOpen();
    if (traffic) traffic.sentBytes += piece.length;
    if (memory?.isOwnerOf(piece) !== true) return sendLongWay(piece);
    memory.sending(piece);
    outlet ??= outletOf(stream);
    return outlet?.sendNow(piece, memory) ? outlet.room() : sendInTime(piece, memory);
  };
  return {
    remote,
    read: inbox,
    write: async (bytes) => writePiece(bytes),
    writePiece,
    memoryFor: (bytes) => memory?.take(bytes),
    async close() {
      inbox.discard();
      if (isOver(stream)) return;
      const timer = setTimeout(() => stream.abort(new Error('not closed in time')), closeMs);
      const closed = once(stream, 'close');
      // A failure here means that the stream is already gone, which is what was wanted.
      await stream.close().catch(() => undefined);
      if (!isOver(stream)) await closed;
      clearTimeout(timer);
    },
    abort(reason) {
      inbox.fail(reason);
      stream.abort(reason);
    },
  };
}

function isOver(stream: Stream): boolean {
  return stream.status !== 'open' && stream.status !== 'closing';
}

function once(stream: Stream, type: 'close'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.addEventListener(type, () => resolve(), { once: true });
  return promise;
}

/** True when the stream takes more, false when it closed instead. */
function drained(stream: Stream): Promise<boolean> {
  if (isOver(stream)) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const settle = (open: boolean): void => {
    stream.removeEventListener('drain', onDrain);
    stream.removeEventListener('close', onClose);
    resolve(open);
  };
  const onDrain = (): void => settle(true);
  const onClose = (): void => settle(false);
  stream.addEventListener('drain', onDrain);
  stream.addEventListener('close', onClose);
  return promise;
}
