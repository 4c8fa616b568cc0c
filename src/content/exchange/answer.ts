/**
 * The frames that answer one want, gathered into few writes: each write costs both ends as much as
 * copying a block does, and what a server does besides takes longest right behind one, as a large
 * piece leaves nothing else in the caches. It knows no order and no places.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { ByteStream } from '../../peer/stream.ts';
import {
  encodeEnd,
  encodeFrame,
  encodeHead,
  type EndStatus,
  frameTypes,
  headBytes,
} from './frames.ts';

/** An END frame. */
const endBytes = headBytes + 1;
/** A leaf as files are cut into, with its head. */
const leafBytes = headBytes + 256 * 1024;
/** Two leaves and the end. */
const pieceBytes = 2 * leafBytes + endBytes;
/** Small blocks, and those that lie elsewhere, are gathered up to this size. */
const gatherBytes = 64 * 1024;
/** Smaller blocks are cheap to copy. */
const largeBytes = 32 * 1024;

export class Answer {
  readonly #stream: ByteStream;
  readonly #onTaken: (bytes: number) => void;
  #parts: Bytes[] = []; // BOUNDED by gatherBytes and one block
  #partsBytes = 0;
  /** Memory of the stream with frames in it; not while there are parts. */
  #piece: Bytes | undefined;
  /** So much of it is filled; there is room for the end of the answer behind. */
  #filledBytes = 0;
  /** Where the next block may lie if there is no room in `#piece`. */
  #next: Bytes | undefined;
  #writingBytes = 0;

  /** `onTaken` is told what the stream has taken. */
  constructor(stream: ByteStream, onTaken: (bytes: number) => void) {
    this.#stream = stream;
    this.#onTaken = onTaken;
  }

  /** What the stream has not taken. */
  get waitingBytes(): number {
    return this.#partsBytes + this.#filledBytes + this.#writingBytes;
  }

  /** Where a block may lie so that it need not be copied; of that size, and the next one. */
  readonly memoryFor = (bytes: number): Bytes | undefined => {
    if (bytes < largeBytes) return undefined;
    const at = this.#filledBytes + headBytes;
    if (this.#piece && at + bytes + endBytes <= this.#piece.length) {
      return this.#piece.subarray(at, at + bytes);
    }
    this.#next = this.#stream.memoryFor?.(Math.max(headBytes + bytes + endBytes, pieceBytes));
    return this.#next?.subarray(headBytes, headBytes + bytes);
  };

  /** One at a time. Undefined when the next one may follow at once. */
  block(bytes: Bytes): Promise<void> | undefined {
    const before = this.#put(bytes);
    return before ? before.then(() => this.#writeIfFull()) : this.#writeIfFull();
  }

  missing(): Promise<void> | undefined {
    const before = this.#gather(encodeFrame(frameTypes.missing, new Uint8Array()));
    return before ? before.then(() => this.#writeIfFull()) : this.#writeIfFull();
  }

  /** Behind the `last` block, in the same write. */
  async end(status: EndStatus, last?: Bytes): Promise<void> {
    if (last) await this.#put(last);
    const end = encodeEnd(status);
    if (this.#piece) {
      this.#piece.set(end, this.#filledBytes);
      this.#filledBytes += end.length;
    } else await this.#gather(end);
    await this.#write();
  }

  /** Resolves, if not at once, when what lay before elsewhere is written. */
  #put(block: Bytes): Promise<void> | undefined {
    const next = this.#next;
    this.#next = undefined;
    const head = encodeHead(frameTypes.block, block.length);
    const isInNext = next?.buffer === block.buffer;
    if (!isInNext && this.#piece?.buffer !== block.buffer) return this.#gather(head, block);
    const before = isInNext ? this.#write() : undefined;
    if (isInNext) this.#piece = next;
    this.#piece?.set(head, this.#filledBytes);
    this.#filledBytes += head.length + block.length;
    return before;
  }

  #gather(...parts: readonly Bytes[]): Promise<void> | undefined {
    const before = this.#piece && this.#write();
    this.#parts.push(...parts);
    for (const { length } of parts) this.#partsBytes += length;
    return before;
  }

  #writeIfFull(): Promise<void> | undefined {
    const { length = 0 } = this.#piece ?? {};
    const isFull = this.#piece
      ? this.#filledBytes + leafBytes + endBytes > length
      : this.#partsBytes >= gatherBytes;
    return isFull ? this.#write() : undefined;
  }

  /** All that there is. */
  #write(): Promise<void> | undefined {
    const bytes = this.#piece?.subarray(0, this.#filledBytes) ?? this.#joined();
    this.#piece = undefined;
    this.#filledBytes = 0;
    this.#parts = [];
    this.#partsBytes = 0;
    if (bytes.length === 0) return undefined;
    const { writePiece } = this.#stream;
    const written = writePiece ? writePiece(bytes) : this.#stream.write(bytes);
    if (written) return this.#taken(bytes.length, written);
    this.#onTaken(bytes.length);
    return undefined;
  }

  #joined(): Bytes {
    const memory = this.#stream.memoryFor?.(this.#partsBytes);
    if (!memory) return Buffer.concat(this.#parts);
    let at = 0;
    for (const part of this.#parts) {
      memory.set(part, at);
      at += part.length;
    }
    return memory;
  }

  async #taken(bytes: number, written: Promise<void>): Promise<void> {
    this.#writingBytes = bytes;
    await written;
    this.#writingBytes = 0;
    this.#onTaken(bytes);
  }
}
