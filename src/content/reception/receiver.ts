/**
 * One stream in the receiving thread: cuts what comes into frames and passes them on, a few at a
 * time and no faster than the main thread takes them. What may come, and whether it is what was
 * asked for, is judged there. (Hashing here as well would make this thread the one that all others
 * wait for.)
 */
import type { Timers, CancelTimer } from '../../base/clock.ts';
import type { Bytes } from '../../base/bytes.ts';
import { reasonOf } from '../../base/reason.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { type Frame, frameBytesMax, FrameError, FrameReader } from '../exchange/frames.ts';
import { Tide } from '../tide.ts';
import type { Lender } from './lending.ts';
import { type News, type SlabFrame, takenBytes } from './words.ts';

/** Passed on at once when there is so much: each message wakes the main thread. */
const gatherBytes = 512 * 1024;
/** Whatever there is, passed on after so long. */
const gatherMs = 2;
/** Passed on and not taken: then the peer waits. */
const untakenBytesMax = 1024 * 1024;
/** Word of octets that are no whole frame. */
const heardMs = 500;

export interface ReceiverParts {
  readonly number: number;
  readonly lender: Lender;
  readonly timers: Timers;
  readonly say: (news: News) => void;
}

export class Receiver {
  readonly #stream: ByteStream;
  readonly #parts: ReceiverParts;
  readonly #change = new Tide();
  #frames: (SlabFrame | Frame)[] = []; // BOUNDED by gatherBytes and one frame
  /** Where a body comes to lie of which not all is here. */
  #partial: Bytes | undefined;
  #gatheredBytes = 0;
  #untakenBytes = 0;
  #isOver = false;
  #hasHeard = false;
  #cancelGather: CancelTimer | undefined;
  #cancelHeard: CancelTimer | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(stream: ByteStream, parts: ReceiverParts) {
    this.#stream = stream;
    this.#parts = parts;
  }

  /** Resolves when the stream is over and the main thread was told so. Never rejects. */
  async run(): Promise<void> {
    const { number, say } = this.#parts;
    this.#listen();
    try {
      await this.#receiveAll();
      this.#pass();
      say({ kind: 'over', stream: number, end: 'done', why: 'the stream ended' });
    } catch (error) {
      this.#pass();
      const end = error instanceof FrameError ? 'rule' : 'broken';
      say({ kind: 'over', stream: number, end, why: whyOf(error) });
    } finally {
      this.#cancelGather?.();
      this.#cancelHeard?.();
      this.#dropPartial();
    }
  }

  /** A write that fails is noticed where the answer is read. */
  write(bytes: Bytes): void {
    this.#written = this.#written.then(() => this.#stream.write(bytes)).catch(() => undefined);
  }

  /** The main thread has used up so much. */
  took(bytes: number): void {
    this.#untakenBytes -= bytes;
    this.#change.rise();
  }

  close(): void {
    this.#end();
    void this.#stream.close();
  }

  abort(): void {
    this.#end();
    this.#stream.abort(new Error('given up'));
  }

  #end(): void {
    this.#isOver = true;
    this.#change.rise();
  }

  async #receiveAll(): Promise<void> {
    const { lender } = this.#parts;
    const take = (length: number): Bytes => (this.#partial = lender.take(length));
    const frames = new FrameReader(this.#stream.read, { take }, frameBytesMax, () => {
      this.#hasHeard = true;
    });
    while (!this.#isOver) {
      const frame = await frames.next();
      if (frame === undefined) return;
      this.#gather(frame);
      while (this.#untakenBytes > untakenBytesMax && !this.#isOver) {
        this.#pass();
        await this.#change.next();
      }
    }
  }

  #gather({ type, body }: Frame): void {
    const { lender, timers } = this.#parts;
    this.#partial = undefined;
    const slab = lender.numberOf(body);
    this.#frames.push(slab === undefined ? { type, body } : { type, slab, bytes: body.length });
    const bytes = takenBytes(body);
    this.#gatheredBytes += bytes;
    this.#untakenBytes += bytes;
    if (this.#gatheredBytes >= gatherBytes) this.#pass();
    else this.#cancelGather ??= timers.after(gatherMs, () => this.#pass());
  }

  #pass(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (this.#frames.length === 0) return;
    const { number, lender, say } = this.#parts;
    say({ kind: 'frames', stream: number, frames: this.#frames, made: lender.made() });
    this.#frames = [];
    this.#gatheredBytes = 0;
    this.#hasHeard = false;
  }

  /** Nobody else knows of it. */
  #dropPartial(): void {
    const { lender } = this.#parts;
    const slab = this.#partial && lender.numberOf(this.#partial);
    if (slab !== undefined) lender.back([slab]);
    this.#partial = undefined;
  }

  #listen(): void {
    const { number, timers, say } = this.#parts;
    this.#cancelHeard = timers.after(heardMs, () => {
      if (this.#hasHeard) say({ kind: 'heard', stream: number });
      this.#hasHeard = false;
      this.#listen();
    });
  }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : reasonOf(error);
}
