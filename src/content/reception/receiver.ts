/**
 * One stream in the receiving thread: cuts what comes into frames and passes them on, several at a
 * time and no faster than the main thread takes them. Blocks are hashed here, as they lie in the
 * cache of this processor; what may come, and whether it is what was asked for, is judged there.
 */
import type { CancelTimer, Timers } from '../../base/clock.ts';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { sha256Text } from '../../base/hash.ts';
import { reasonOf } from '../../base/reason.ts';
import type { LoneStream } from '../../peer/lone/stream.ts';
import { FrameError, frameTypes } from '../exchange/frames.ts';
import type { Untaken } from './account.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { Lender } from './lending.ts';
import { type News, takenBytes } from './words.ts';

/** Passed on at once when there is so much: each message wakes the main thread. */
const gatherBytes = 1024 * 1024;
/** Whatever there is, passed on after so long. */
const gatherMs = 2;
/**
 * What a peer may have sent that is not taken, of whole frames; what makes no frame yet comes on
 * top of that. As much as the widest window of any other stream.
 */
export const roomBytes: number = 2 * 1024 * 1024;
/** Windows are opened by so much at a time, */
const grantBytes = roomBytes / 2;
/** or by less to a peer that may send no more than this. */
const scarceBytes = roomBytes / 4;
/** Of frames without a body, which windows do not bound: then nothing is read. */
const untakenBytesMax = 2 * roomBytes;
/** Word of octets that are no whole frame. */
const heardMs = 500;

/** What it needs of a stream. */
export type Granted = Pick<LoneStream, 'creditBytes' | 'grant' | 'pause' | 'resume'>;

export interface ReceiverParts {
  readonly number: number;
  readonly lender: Lender;
  readonly untaken: Untaken;
  readonly timers: Timers;
  readonly say: (news: News) => void;
}

export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #cutter: FrameCutter;
  #stream: Granted | undefined;
  #frames: number[] = []; // BOUNDED by gatherBytes and one frame
  #bodies: Bytes[] = []; // BOUNDED likewise
  #digests: string[] = []; // BOUNDED likewise
  #gatheredBytes = 0;
  #isOver = false;
  #isPaused = false;
  #hasHeard = false;
  #cancelGather: CancelTimer | undefined;
  #cancelHeard: CancelTimer | undefined;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#cutter = new FrameCutter({
      take: (length) => parts.lender.take(length),
      onFrame: (type, body) => this.#gather(type, body),
    });
  }

  /** From now on it is told what comes on `stream`. */
  listen(stream: Granted): void {
    this.#stream = stream;
    this.#tellHeard();
  }

  /** Octets of the stream, which are there until it returns. Throws what ends the stream. */
  take(memory: Bytes, from: number, to: number): void {
    this.#hasHeard = true;
    this.#cutter.push(memory, from, to);
    this.#makeRoom(grantBytes);
  }

  /** The stream is over. */
  over(failure?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pass();
    this.#cancelHeard?.();
    const { number, lender, say } = this.#parts;
    const cutOff = failure === undefined && this.#cutter.isInside;
    const why = cutOff ? new Error('the stream ends inside a frame') : failure;
    const partial = this.#cutter.drop();
    if (partial) lender.keep(partial);
    const end = why instanceof FrameError ? 'rule' : why === undefined ? 'done' : 'broken';
    say({ kind: 'over', stream: number, end, why: whyOf(why) });
  }

  /** The main thread has taken something, and this one waits for it. */
  took(): void {
    this.#makeRoom(scarceBytes / 2);
  }

  #makeRoom(worthwhileBytes: number): void {
    const stream = this.#stream;
    const { untaken } = this.#parts;
    if (!stream || this.#isOver) return;
    const room = (): number => roomBytes - stream.creditBytes - untaken.bytes();
    const isShort = stream.creditBytes <= scarceBytes || this.#isPaused;
    if (isShort && room() < worthwhileBytes) untaken.wait();
    const bytes = room(); // asked for after that: else what is taken meanwhile is told by nobody
    if (bytes >= worthwhileBytes) stream.grant(bytes);
    this.#pauseIfFull(stream);
  }

  #pauseIfFull(stream: Granted): void {
    const { untaken } = this.#parts;
    const isFull = untaken.bytes() > untakenBytesMax;
    if (isFull) untaken.wait();
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) stream.pause();
    else stream.resume();
  }

  #gather(type: number, body: Bytes): void {
    const { lender, timers, untaken } = this.#parts;
    const slab = lender.numberOf(body);
    this.#frames.push(type, slab ?? -1, body.length);
    if (slab === undefined && body.length > 0) this.#bodies.push(body);
    if (type === frameTypes.block) this.#digests.push(sha256Text(body));
    const bytes = takenBytes(body.length);
    untaken.add(bytes);
    this.#gatheredBytes += bytes;
    if (this.#gatheredBytes >= gatherBytes) this.#pass();
    else this.#cancelGather ??= timers.after(gatherMs, () => this.#pass());
  }

  #pass(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (this.#frames.length === 0) return;
    const { number, lender, say } = this.#parts;
    const [frames, digests] = [this.#frames, this.#digests];
    const bodies = concatBytes(...this.#bodies);
    say({ kind: 'frames', stream: number, frames, digests, bodies, made: lender.made() });
    this.#frames = [];
    this.#bodies = [];
    this.#digests = [];
    this.#gatheredBytes = 0;
    this.#hasHeard = false;
  }

  #tellHeard(): void {
    const { number, timers, say } = this.#parts;
    this.#cancelHeard = timers.after(heardMs, () => {
      if (this.#hasHeard) say({ kind: 'heard', stream: number });
      this.#hasHeard = false;
      this.#tellHeard();
    });
  }
}

function whyOf(error: unknown): string {
  if (error === undefined) return 'the stream ended';
  return error instanceof Error ? error.message : reasonOf(error);
}
