/**
 * A file's lines as octets: cut at line feeds, numbered, with their places in the file; a carriage
 * return before the line feed and a byte order mark at the start are left out. A line that is too
 * long is told of, not kept. It must not know what the lines mean.
 */
import type { Bytes } from '../base/bytes.ts';

/** The same object for every line: good until the next one. */
export interface ListLine {
  octets: Bytes;
  /** The line without its end is octets[start..end]. */
  start: number;
  end: number;
  /** The first is 1. */
  number: number;
  /** Where in the file the line begins, and where the next one does. */
  from: number;
  to: number;
  isTooLong: boolean;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class LineCutter {
  readonly #lineBytesMax: number;
  /** What came of a line that has not ended yet; room for its mark and its end as well. */
  readonly #carry: Uint8Array;
  #carried = 0;
  /** Of the same line, what had no room. */
  #dropped = 0;
  readonly #line: ListLine;

  /** Longer lines, without their ends, come with `isTooLong` and without octets. */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
    this.#carry = new Uint8Array(lineBytesMax + 5);
    const [octets, nowhere] = [this.#carry, { start: 0, end: 0, from: 0, to: 0 }];
    this.#line = { octets, ...nowhere, number: 0, isTooLong: false };
  }

  /** The lines that end in this piece of the file, which follows the one before. */
  *cut(piece: Bytes): Generator<ListLine, void, undefined> {
    let start = 0;
    for (;;) {
      const end = piece.indexOf(lineFeed, start);
      if (end === -1) break;
      if (this.#carried === 0) yield this.#tell(piece, { start, end, bytes: end - start + 1 });
      else {
        this.#keep(piece.subarray(start, end));
        yield this.#tellCarried(1);
      }
      start = end + 1;
    }
    this.#keep(piece.subarray(start));
  }

  /** The last line, when no line feed ends it. */
  *end(): Generator<ListLine, void, undefined> {
    if (this.#carried > 0) yield this.#tellCarried(0);
  }

  #keep(part: Bytes): void {
    const room = this.#carry.length - this.#carried;
    const kept = part.subarray(0, room);
    this.#carry.set(kept, this.#carried);
    this.#carried += kept.length;
    this.#dropped += part.length - kept.length;
  }

  #tellCarried(endBytes: 0 | 1): ListLine {
    const bytes = this.#carried + this.#dropped + endBytes;
    const line = this.#tell(this.#carry, { start: 0, end: this.#carried, bytes });
    this.#carried = 0;
    this.#dropped = 0;
    return line;
  }

  #tell(
    octets: Bytes,
    { start, end, bytes }: { start: number; end: number; bytes: number },
  ): ListLine {
    const line = this.#line;
    line.number++;
    line.from = line.to;
    line.to += bytes;
    line.octets = octets;
    line.start = line.number === 1 && hasByteOrderMark(octets, start, end) ? start + 3 : start;
    line.end = end > line.start && octets[end - 1] === carriageReturn ? end - 1 : end;
    line.isTooLong = line.end - line.start > this.#lineBytesMax;
    if (line.isTooLong) line.end = line.start;
    return line;
  }
}

function hasByteOrderMark(octets: Bytes, start: number, end: number): boolean {
  return (
    end - start >= 3 &&
    octets[start] === 0xef &&
    octets[start + 1] === 0xbb &&
    octets[start + 2] === 0xbf
  );
}
