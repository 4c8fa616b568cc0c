/**
 * Leaves that are asked for by one want: each want of its own costs both ends more than the walk to
 * the next leaf. It knows neither queue nor peers.
 */
import { expectedBytes } from '../exchange/asked.ts';
import { othersMax } from '../exchange/frames.ts';
import type { SizedLink } from '../dag/pending-links.ts';
import type { Want } from '../dag/walk.ts';

/**
 * Of what a peer is asked ahead, so much in one want: about a quarter of a second. Wants of that
 * size follow each other without a gap, and what one that fails still owes is soon asked of others.
 */
const shareOfWindow = 1 / 4;
/** More leaves of 256 KiB in a want would spare next to nothing. */
const leavesMax = othersMax + 1;

export class Run {
  readonly #first: Want;
  readonly #others: SizedLink[] = []; // BOUNDED by leavesMax, see fits()
  readonly #bytesMax: number;
  #bytes: number;

  /** `windowBytes`: what the peer is asked ahead. */
  constructor(first: Want, windowBytes: number) {
    this.#first = first;
    this.#bytes = expectedBytes(first);
    this.#bytesMax = windowBytes * shareOfWindow;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it may be asked for by the same want. */
  fits(want: Want): boolean {
    if (!isLeaf(this.#first) || !isLeaf(want)) return false;
    const isShort = this.#others.length + 1 < leavesMax;
    return isShort && this.#bytes + expectedBytes(want) <= this.#bytesMax;
  }

  add(want: Want): void {
    const { link, bytesSaid } = want;
    this.#others.push({ ...link, ...(bytesSaid !== undefined && { size: bytesSaid }) });
    this.#bytes += expectedBytes(want);
  }

  /** One want for all of it. */
  want(): Want {
    if (this.#others.length === 0) return this.#first;
    const { link, bytesSaid } = this.#first;
    return { link, level: 0, path: [], scope: 'leaves', others: this.#others, bytesSaid };
  }
}

/** One block, whatever the scope. */
function isLeaf({ link, path }: Want): boolean {
  return link.codec === 'raw' && path.length === 0;
}
