/**
 * Octets that have come and that nobody has read, in order. Who gives them keeps its memory: it is
 * copied, unless it is given away. Who reads either gets arrays, or has octets copied to where it
 * wants them; then the memory here is used again. It does not bound itself: whoever adds does.
 */
import { type Bytes, copyPart, type Part } from '../base/bytes.ts';

/** Memory that is used again comes in pieces of this size. */
const pieceBytes = 64 * 1024;
/** Pieces that are kept for later, by all together: 4 MiB. Else each one that goes is garbage. */
const freeMax = 64;
const free: Bytes[] = []; // BOUNDED by freeMax

interface Piece {
  readonly memory: Bytes;
  /** Octets from here on, */
  at: number;
  /** to here. */
  to: number;
  readonly isOwn: boolean;
}

export class Backlog {
  #pieces: Piece[] = []; // BOUNDED by who adds
  #bytes = 0;
  /** Whoever reads has octets copied, so memory comes back. */
  #isCopied = false;

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a copy. */
  add({ of, from, to }: Part): void {
    this.#bytes += to - from;
    for (let at = from; at < to;) {
      const piece = this.#pieceWithRoom(to - at);
      const count = Math.min(to - at, piece.memory.length - piece.to);
      copyPart({ of, from: at, to: at + count }, piece.memory, piece.to);
      piece.to += count;
      at += count;
    }
  }

  /** Adds an array that nobody changes any more. */
  give(memory: Bytes): void {
    this.#bytes += memory.length;
    this.#pieces.push({ memory, at: 0, to: memory.length, isOwn: false });
  }

  /** The next octets, of which there may be more; undefined when there are none. */
  shift(): Bytes | undefined {
    const piece = this.#pieces.shift();
    if (!piece) return undefined;
    this.#bytes -= piece.to - piece.at;
    return piece.memory.subarray(piece.at, piece.to);
  }

  /** Moves what fits into `target`; gives the number of octets. */
  copyTo(target: Bytes): number {
    this.#isCopied = true;
    let filled = 0;
    for (;;) {
      const [piece] = this.#pieces;
      if (!piece || filled === target.length) break;
      const count = Math.min(piece.to - piece.at, target.length - filled);
      copyPart({ of: piece.memory, from: piece.at, to: piece.at + count }, target, filled);
      piece.at += count;
      filled += count;
      if (piece.at === piece.to) this.#release();
    }
    this.#bytes -= filled;
    return filled;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  #pieceWithRoom(bytes: number): Piece {
    const last = this.#pieces.at(-1);
    if (last?.isOwn && last.to < last.memory.length) return last;
    const memory = this.#isCopied
      ? (free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes))
      : Buffer.allocUnsafeSlow(bytes);
    const piece: Piece = { memory, at: 0, to: 0, isOwn: true };
    this.#pieces.push(piece);
    return piece;
  }

  #release(): void {
    const piece = this.#pieces.shift();
    if (!piece?.isOwn || piece.memory.length !== pieceBytes) return;
    if (free.length < freeMax) free.push(piece.memory);
  }
}
