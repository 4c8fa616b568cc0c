/**
 * A stream that the receiving thread has, as the main thread sees it: whole frames in the order in
 * which they came. It knows no threads, only what is said.
 */
import type { Bytes } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Chunks } from '../../peer/inbox.ts';
import { type Frame, FrameError, headBytes, type SyncStream } from '../exchange/frames.ts';
import type { Slabs } from '../slabs.ts';
import { Tide } from '../tide.ts';
import type { Borrower } from './lending.ts';
import { type News, type Order, takenBytes } from './words.ts';

/** Said when so much was used up, or nothing is left: each word wakes the receiving thread. */
const tookBytes = 512 * 1024;

export interface ReceivedParts {
  readonly number: number;
  readonly borrower: Borrower;
  /** Gets back bodies that nobody will take. */
  readonly slabs: Pick<Slabs, 'give'>;
  readonly say: (order: Order) => void;
  /** Octets that came. */
  readonly onReceived: (bytes: number) => void;
}

export class ReceivedStream implements SyncStream {
  readonly remote: Bytes;
  readonly #parts: ReceivedParts;
  readonly #opened = Promise.withResolvers<void>();
  readonly #change = new Tide();
  #queue: Frame[] = []; // BOUNDED by untakenBytesMax of the receiving thread
  #tookBytes = 0;
  #isOver = false;
  #failure: Error | undefined;
  #onOctets: (() => void) | undefined;

  constructor(remote: Bytes, parts: ReceivedParts) {
    this.remote = remote;
    this.#parts = parts;
    this.#opened.promise.catch(() => undefined); // for whoever gave up waiting
  }

  /** Resolves when frames may come; rejects when it was not opened. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get read(): Chunks {
    throw new Error('it has frames only');
  }

  readonly frames: NonNullable<SyncStream['frames']> = (onOctets) => {
    this.#onOctets = onOctets;
    return { next: () => this.#shift() ?? this.#later() };
  };

  write(bytes: Bytes): Promise<void> {
    if (this.#isOver) return Promise.reject(this.#failure ?? closed());
    this.#parts.say({ kind: 'write', stream: this.#parts.number, bytes });
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (!this.#isOver) this.#parts.say({ kind: 'close', stream: this.#parts.number });
    this.#drop(undefined);
    return Promise.resolve();
  }

  abort(reason: Error): void {
    if (!this.#isOver) this.#parts.say({ kind: 'abort', stream: this.#parts.number });
    this.#drop(reason);
  }

  /** What the receiving thread says of it. */
  hear(news: News): void {
    if (news.kind === 'opened') this.#opened.resolve();
    else if (news.kind === 'over') this.#end(news);
    else {
      this.#onOctets?.();
      if (news.kind === 'frames') this.#add(news);
    }
  }

  /** The receiving thread is no more. */
  lose(why: string): void {
    this.#end({ end: 'broken', why });
  }

  #add({ frames }: News & { readonly kind: 'frames' }): void {
    const { borrower, slabs, onReceived } = this.#parts;
    for (const said of frames) {
      const { type } = said;
      const body = 'slab' in said ? borrower.bytesOf(said.slab, said.bytes) : said.body;
      onReceived(headBytes + body.length);
      if (this.#isOver) slabs.give(body);
      else this.#queue.push({ type, body });
    }
    this.#change.rise();
  }

  #shift(): Frame | undefined {
    const frame = this.#queue.shift();
    if (!frame) return undefined;
    this.#tookBytes += takenBytes(frame.body);
    if (this.#tookBytes >= tookBytes || this.#queue.length === 0) this.#sayTook();
    return frame;
  }

  async #later(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#shift();
      if (frame) return frame;
      if (this.#failure) throw this.#failure;
      if (this.#isOver) return undefined;
      await this.#change.next();
    }
  }

  #sayTook(): void {
    const { number, borrower, say } = this.#parts;
    if (!this.#isOver) {
      say({ kind: 'took', stream: number, bytes: this.#tookBytes, free: borrower.takeFree() });
    }
    this.#tookBytes = 0;
  }

  /** What has come and was not taken is still good. */
  #end({ end, why }: Pick<News & { readonly kind: 'over' }, 'end' | 'why'>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (end === 'rule') this.#failure = new FrameError(why);
    if (end === 'broken') this.#failure = new AltNetError('UNREACHABLE', { what: 'the peer', why });
    this.#opened.reject(this.#failure ?? closed());
    this.#change.rise();
  }

  /** Nobody takes what has come, or will come. */
  #drop(reason: Error | undefined): void {
    for (const { body } of this.#queue) this.#parts.slabs.give(body);
    this.#queue = [];
    this.#failure ??= this.#isOver ? undefined : reason;
    this.#isOver = true;
    this.#opened.reject(reason ?? closed());
    this.#change.rise();
  }
}

function closed(): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'the peer', why: 'the stream was closed' });
}
