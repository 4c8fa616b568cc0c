/**
 * Cuts octets into frames as they are pushed in, the same frames with the same limits as a
 * FrameReader that is asked for them: no promise for each piece, and what belongs to a body is
 * copied once, to where that will lie. It knows no streams.
 */
import { type Bytes, copyPart } from '../../base/bytes.ts';
import { frameBytesMax, FrameError, headBytes } from '../exchange/frames.ts';

export interface FrameCutterParts {
  /** Memory for a body; when that is whole it goes to `onFrame`. */
  readonly take: (length: number) => Bytes;
  readonly onFrame: (type: number, body: Bytes) => void;
}

const noBody: Bytes = new Uint8Array();

export class FrameCutter {
  readonly #parts: FrameCutterParts;
  readonly #head = Buffer.alloc(headBytes);
  #headBytes = 0;
  #type = 0;
  /** What of a frame is not all here. */
  #body: Bytes | undefined;
  #filled = 0;

  constructor(parts: FrameCutterParts) {
    this.#parts = parts;
  }

  /** An end here would cut a frame off. */
  get isInside(): boolean {
    return this.#headBytes > 0 || this.#body !== undefined;
  }

  /** Throws FrameError; nothing is to be pushed in after that. */
  push(memory: Bytes, from: number, to: number): void {
    let at = from;
    while (at < to)
      at = this.#body ? this.#fill(this.#body, memory, at, to) : this.#begin(memory, at, to);
  }

  /** Lets go of what is not all here. */
  drop(): Bytes | undefined {
    const body = this.#body;
    this.#body = undefined;
    return body;
  }

  #begin(memory: Bytes, from: number, to: number): number {
    let at = from;
    while (at < to && this.#headBytes < headBytes) {
      this.#head[this.#headBytes++] = memory[at++] ?? 0;
    }
    if (this.#headBytes < headBytes) return at;
    this.#headBytes = 0;
    const type = this.#head.readUInt8(0);
    const length = this.#head.readUInt32BE(1);
    const max = frameBytesMax(type);
    if (max === undefined) throw new FrameError('a frame has an unknown type');
    if (length > max) throw new FrameError('a frame is too large');
    if (length === 0) this.#parts.onFrame(type, noBody);
    else {
      this.#type = type;
      this.#body = this.#parts.take(length);
      this.#filled = 0;
    }
    return at;
  }

  #fill(body: Bytes, memory: Bytes, from: number, end: number): number {
    const to = Math.min(end, from + body.length - this.#filled);
    copyPart({ of: memory, from, to }, body, this.#filled);
    this.#filled += to - from;
    if (this.#filled === body.length) {
      this.#body = undefined;
      this.#parts.onFrame(this.#type, body);
    }
    return to;
  }
}
