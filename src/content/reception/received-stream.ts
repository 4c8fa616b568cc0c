/**
 * A stream that the receiving thread has, as the main thread sees it: whole frames in the order in
 * which they came. It knows no threads, only what is said.
 */
import type { Bytes } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Chunks } from '../../peer/inbox.ts';
import {
  type Frame,
  FrameError,
  frameTypes,
  headBytes,
  type SyncStream,
} from '../exchange/frames.ts';
import type { Slabs } from '../slabs.ts';
import { Tide } from '../tide.ts';
import { Taking } from './account.ts';
import type { Borrower } from './lending.ts';
import { type News, type Order, takenBytes } from './words.ts';

export interface ReceivedParts {
  readonly number: number;
  /** What was taken is counted there. */
  readonly account: SharedArrayBuffer;
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
  readonly #taking: Taking;
  #queue: Frame[] = []; // BOUNDED by the receiving thread, see untakenBytesMax there
  #isOver = false;
  #failure: Error | undefined;
  #onOctets: (() => void) | undefined;

  constructor(remote: Bytes, parts: ReceivedParts) {
    this.remote = remote;
    this.#parts = parts;
    this.#taking = new Taking(parts.account);
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

  #add({ frames, digests, bodies }: News & { readonly kind: 'frames' }): void {
    const { borrower, slabs, onReceived } = this.#parts;
    let at = 0;
    let hashed = 0;
    for (let i = 0; i < frames.length; i += 3) {
      const [type = 0, slab = -1, bytes = 0] = [frames[i], frames[i + 1], frames[i + 2]];
      const body = slab < 0 ? bodies.slice(at, at + bytes) : borrower.bytesOf(slab, bytes);
      if (slab < 0) at += bytes;
      const digest = type === frameTypes.block ? digests[hashed++] : undefined;
      onReceived(headBytes + bytes);
      if (this.#isOver) slabs.give(body);
      else this.#queue.push({ type, body, digest });
    }
    this.#change.rise();
  }

  #shift(): Frame | undefined {
    const frame = this.#queue.shift();
    if (!frame) return undefined;
    const isAll = this.#queue.length === 0;
    if (this.#taking.took(takenBytes(frame.body.length), isAll) && !this.#isOver) {
      this.#parts.say({ kind: 'took', stream: this.#parts.number });
    }
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
