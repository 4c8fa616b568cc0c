/**
 * A libp2p stream as the rest of the program sees it: bytes in, bytes out, with back-pressure both
 * ways. It works around what was measured in libp2p 3 (docs/spec/exchange.md, "Streams"): `onDrain`
 * never waits twice, iterating a stream queues without limit, and a stream that ends has not
 * thereby delivered everything. It knows nothing of what the bytes mean.
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { AltNetError } from '../base/errors.ts';
import type { Bytes } from '../base/bytes.ts';
import { Greeting } from './eager.ts';
import type { SendMemory } from './send-memory.ts';

/** Chunks as they come, for one reader. */
export interface Chunks extends AsyncIterable<Bytes> {
  /** The next one if it has come. Waiting for each one costs more than what is done with it. */
  readonly takeNow?: () => Bytes | undefined;
}

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
  /** Whether there is a better way to the peer by now: what is opened from now on goes there. */
  readonly isOutdated?: () => boolean;
  /** Closes both sides in order; a peer that does not follow within 5 s is cut off. */
  close(): Promise<void>;
  /** Drops the stream at once. Waiting reads and writes reject with `reason`. */
  abort(reason: Error): void;
}

/** Unread bytes at which a peer is asked to pause; at a quarter of them it may go on. */
const unreadBytesMost = 1024 * 1024;
/** The same of a stream that a peer opened: what it asks is short, and others ask as well. */
export const askedBytesMax: number = 64 * 1024;
/** Written bytes that may wait in libp2p for the connection to take them. */
const unsentBytesMax = 512 * 1024;
const closeMs = 5000;

/** What went over streams of a kind. */
export interface Traffic {
  receivedBytes: number;
  sentBytes: number;
}

export interface ByteStreamOptions {
  /** Octets that the peer sends before anything else, to be taken off. */
  readonly expected?: Bytes | undefined;
  readonly unreadBytesMax?: number | undefined;
  readonly memory?: Pick<SendMemory, 'take'> | undefined;
  /** Added to as bytes come and go. */
  readonly traffic?: Traffic | undefined;
}

export function byteStream(
  stream: Stream,
  remote: Bytes,
  options: ByteStreamOptions = {},
): ByteStream {
  const inbox = new Inbox(stream, options);
  const lost = (): Error => inbox.failure ?? new AltNetError('UNREACHABLE', closedDetails);
  return {
    remote,
    read: inbox,
    async write(bytes) {
      if (stream.writeStatus !== 'writable') throw lost();
      stream.send(bytes);
      if (options.traffic) options.traffic.sentBytes += bytes.length;
      // Some bytes may wait in libp2p, so that it need not wait for the writer after a drain. After
      // one it sends what it holds and may be saturated again: hence a loop.
      while (stream.writeBufferLength > unsentBytesMax) {
        if (!(await drained(stream))) throw lost();
      }
    },
    memoryFor: (bytes) => options.memory?.take(bytes),
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

const refusedDetails = { what: 'the peer', why: 'it does not speak the protocol' };
const closedDetails = { what: 'the peer', why: 'the stream was closed' };

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

/** Arrived chunks, waiting for the one reader. */
class Inbox implements Chunks {
  failure: Error | undefined;
  readonly #stream: Stream;
  readonly #unreadBytesMax: number;
  readonly #traffic: Traffic | undefined;
  #chunks: Bytes[] = []; // BOUNDED by #unreadBytesMax plus one yamux window, see #onMessage()
  #bytes = 0;
  #ended = false;
  #discarding = false;
  #resuming = false;
  #wake: (() => void) | undefined;
  #greeting: Greeting | undefined;

  constructor(
    stream: Stream,
    { expected, traffic, unreadBytesMax = unreadBytesMost }: ByteStreamOptions,
  ) {
    this.#stream = stream;
    this.#traffic = traffic;
    this.#unreadBytesMax = unreadBytesMax;
    this.#greeting = expected && new Greeting(expected);
    stream.addEventListener('message', (event) => this.#onMessage(event));
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', (event) => this.#onClose(event));
    if (stream.readableEnded) this.#ended = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      const chunk = this.takeNow();
      if (chunk) yield chunk;
      else if (this.failure !== undefined) throw this.failure;
      else if (this.#ended && this.#chunks.length === 0) return;
      else await this.#arrival();
    }
  }

  readonly takeNow = (): Bytes | undefined => {
    if (this.failure !== undefined) return undefined;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    if (this.#bytes <= this.#unreadBytesMax / 4) this.#resume();
    return chunk;
  };

  /** Throws away what is unread and whatever still comes. */
  discard(): void {
    this.#discarding = true;
    this.#chunks = [];
    this.#bytes = 0;
    this.#resume();
  }

  fail(reason: Error): void {
    this.#chunks = [];
    this.#end(reason);
  }

  #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#resume(); // what a paused stream still holds is handed out only after this
    return promise;
  }

  #onMessage({ data }: StreamMessageEvent): void {
    if (this.#discarding) return;
    const chunks = this.#ungreeted(data instanceof Uint8Array ? [data] : [...data]);
    this.#chunks.push(...chunks);
    let bytes = 0;
    for (const { length } of chunks) bytes += length;
    this.#bytes += bytes;
    if (this.#traffic) this.#traffic.receivedBytes += bytes;
    if (!this.#resuming) this.#pauseIfFull();
    this.#wake?.();
  }

  /** Without what belongs to the greeting; nothing when that was wrong. */
  #ungreeted(chunks: readonly Bytes[]): readonly Bytes[] {
    const greeting = this.#greeting;
    if (greeting === undefined) return chunks;
    const rest: Bytes[] = [];
    for (const chunk of chunks) {
      const left = greeting.take(chunk);
      if (left === undefined) {
        const reason = new AltNetError('UNREACHABLE', refusedDetails);
        this.fail(reason);
        this.#discarding = true;
        this.#stream.abort(reason);
        return [];
      }
      if (left.length > 0) rest.push(left);
    }
    if (greeting.isOver) this.#greeting = undefined;
    return rest;
  }

  #pauseIfFull(): void {
    const full = this.#bytes > this.#unreadBytesMax && !this.#discarding;
    if (full && this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return;
    this.#resuming = true;
    try {
      this.#stream.resume();
    } catch {
      // The connection is gone, so there is no window to open; `close` has told or will tell.
    }
    // A pause while `resume` hands out what it held would be lost to yamux, which then goes on
    // opening its window until the buffer bursts.
    this.#resuming = false;
    this.#pauseIfFull();
  }

  /** libp2p announces the end of a stream that was reset before it says that it was. */
  #onEnd(): void {
    const torn = this.#stream.status === 'reset' || this.#stream.status === 'aborted';
    this.#end(torn ? new AltNetError('UNREACHABLE', closedDetails) : undefined);
  }

  #onClose(event: StreamCloseEvent): void {
    if (event.error === undefined && this.#stream.readBufferLength > 0) return this.#resume();
    this.#end(
      event.error === undefined
        ? undefined
        : new AltNetError('UNREACHABLE', closedDetails, { cause: event.error }),
    );
  }

  #end(failure: Error | undefined): void {
    this.failure ??= this.#ended ? undefined : failure;
    this.#ended = true;
    this.#wake?.();
  }
}
