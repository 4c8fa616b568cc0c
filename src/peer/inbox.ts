/**
 * The reading end of a libp2p stream: what has come waits here for the one reader, and a peer that
 * is faster waits for him as well. What comes the short way is copied to where the reader wants it,
 * if he waits for it. It knows nothing of what the bytes mean.
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { AltNetError } from '../base/errors.ts';
import { type Bytes, copyOf, copyPart, type Part } from '../base/bytes.ts';
import { Backlog } from './backlog.ts';
import { Greeting } from './greeting.ts';
import { takeData } from './yamux-reader.ts';

/** Chunks as they come, for one reader. */
export interface Chunks extends AsyncIterable<Bytes> {
  /** The next one if it has come. Waiting for each one costs more than what is done with it. */
  readonly takeNow?: () => Bytes | undefined;
  /**
   * Fills `target` with what comes next, and gives the number of octets: fewer only at the end.
   * Nothing else is to be read meanwhile. `onOctets` is called whenever some have come.
   */
  readonly fill?: (target: Bytes, onOctets?: () => void) => number | Promise<number>;
}

/** Unread bytes at which a peer is asked to pause; at a quarter of them it may go on. */
const unreadBytesMost = 1024 * 1024;

/** What went over streams of a kind. */
export interface Traffic {
  receivedBytes: number;
  sentBytes: number;
}

export interface InboxOptions {
  /** Octets that the peer sends before anything else, to be taken off. */
  readonly expected?: Bytes | undefined;
  readonly unreadBytesMax?: number | undefined;
  /** Added to as bytes come and go. */
  readonly traffic?: Traffic | undefined;
}

const refusedDetails = { what: 'the peer', why: 'it does not speak the protocol' };
export const closedDetails = { what: 'the peer', why: 'the stream was closed' } as const;

/** Where the reader wants what comes next. */
interface Wanted {
  readonly target: Bytes;
  filled: number;
  readonly onOctets: (() => void) | undefined;
  readonly resolve: (filled: number) => void;
  readonly reject: (failure: Error) => void;
}

/** Arrived octets, waiting for the one reader. */
export class Inbox implements Chunks {
  failure: Error | undefined;
  readonly #stream: Stream;
  readonly #unreadBytesMax: number;
  readonly #traffic: Traffic | undefined;
  readonly #backlog = new Backlog(); // BOUNDED by #unreadBytesMax and a window, see #pauseIfFull()
  #ended = false;
  #discarding = false;
  #resuming = false;
  #wake: (() => void) | undefined;
  #wanted: Wanted | undefined;
  #greeting: Greeting | undefined;

  constructor(
    stream: Stream,
    { expected, traffic, unreadBytesMax = unreadBytesMost }: InboxOptions,
  ) {
    this.#stream = stream;
    this.#traffic = traffic;
    this.#unreadBytesMax = unreadBytesMax;
    this.#greeting = expected && new Greeting(expected);
    stream.addEventListener('message', (event) => this.#onMessage(event));
    takeData(stream, (part) => this.#take(part));
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', (event) => this.#onClose(event));
    if (stream.readableEnded) this.#ended = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      const chunk = this.takeNow();
      if (chunk) yield chunk;
      else if (this.failure !== undefined) throw this.failure;
      else if (this.#ended && this.#backlog.bytes === 0) return;
      else await this.#arrival();
    }
  }

  readonly takeNow = (): Bytes | undefined => {
    if (this.failure !== undefined) return undefined;
    const chunk = this.#backlog.shift();
    if (chunk !== undefined) this.#resumeIfEmpty();
    return chunk;
  };

  readonly fill = (target: Bytes, onOctets?: () => void): number | Promise<number> => {
    if (this.failure !== undefined) throw this.failure;
    const filled = this.#backlog.copyTo(target);
    if (filled > 0) onOctets?.();
    if (filled === target.length || this.#ended) {
      this.#resumeIfEmpty();
      return filled;
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#wanted = { target, filled, onOctets, resolve, reject };
    this.#resume();
    return promise;
  };

  /** Throws away what is unread and whatever still comes. */
  discard(): void {
    this.#discarding = true;
    this.#backlog.clear();
    this.#resume();
  }

  fail(reason: Error): void {
    this.#backlog.clear();
    this.#end(reason);
  }

  #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#resume(); // what a paused stream still holds is handed out only after this
    return promise;
  }

  /** Octets that came the short way, in memory that is used again. */
  #take(part: Part): void {
    if (this.#discarding) return;
    if (this.#greeting) return this.#receive([copyOf(part)]);
    this.#count(part.to - part.from);
    const from = part.from + this.#putWanted(part);
    if (from < part.to) this.#backlog.add({ ...part, from });
    this.#wakeReader();
  }

  #onMessage({ data }: StreamMessageEvent): void {
    if (!this.#discarding) this.#receive(data instanceof Uint8Array ? [data] : [...data]);
  }

  #receive(data: readonly Bytes[]): void {
    for (const chunk of this.#ungreeted(data)) {
      this.#count(chunk.length);
      const from = this.#putWanted({ of: chunk, from: 0, to: chunk.length });
      if (from < chunk.length) this.#backlog.give(chunk.subarray(from));
    }
    this.#wakeReader();
  }

  #count(bytes: number): void {
    if (this.#traffic) this.#traffic.receivedBytes += bytes;
  }

  /** How many of these octets went to where they are wanted. */
  #putWanted({ of, from, to }: Part): number {
    const wanted = this.#wanted;
    if (!wanted) return 0;
    const { target, filled } = wanted;
    const count = Math.min(to - from, target.length - filled);
    copyPart({ of, from, to: from + count }, target, filled);
    wanted.filled += count;
    wanted.onOctets?.();
    if (wanted.filled === target.length) this.#settle(wanted);
    return count;
  }

  #settle(wanted: Wanted): void {
    this.#wanted = undefined;
    wanted.resolve(wanted.filled);
  }

  #wakeReader(): void {
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
    const full = this.#backlog.bytes > this.#unreadBytesMax && !this.#discarding;
    if (full && this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  #resumeIfEmpty(): void {
    if (this.#backlog.bytes <= this.#unreadBytesMax / 4) this.#resume();
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
    const wanted = this.#wanted;
    if (wanted && this.failure === undefined) this.#settle(wanted);
    else if (wanted) this.#reject(wanted, this.failure);
    this.#wake?.();
  }

  #reject(wanted: Wanted, failure: Error | undefined): void {
    this.#wanted = undefined;
    if (failure) wanted.reject(failure);
  }
}
