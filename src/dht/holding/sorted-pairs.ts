/**
 * Pairs of numbers in order, of which some come and go all the time: 16 bytes for each, and no
 * object. It does not know what they mean.
 *
 * Chunks of bounded length, in order; within each, the pairs in order. Finding is two binary
 * searches, changing moves at most one chunk.
 */

interface Chunk {
  readonly ranks: number[];
  readonly marks: number[];
}

export interface Pair {
  readonly rank: number;
  readonly mark: number;
}

const chunkMax = 512;

export class SortedPairs {
  readonly #chunks: Chunk[] = []; // BOUNDED by who adds
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(pair: Pair): void {
    this.#size++;
    const at = this.#chunkFor(pair);
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push({ ranks: [pair.rank], marks: [pair.mark] });
      return;
    }
    const place = placeIn(chunk, pair);
    chunk.ranks.splice(place, 0, pair.rank);
    chunk.marks.splice(place, 0, pair.mark);
    if (chunk.ranks.length <= chunkMax) return;
    const half = chunkMax / 2;
    const upper = { ranks: chunk.ranks.splice(half), marks: chunk.marks.splice(half) };
    this.#chunks.splice(at + 1, 0, upper);
  }

  /** Takes one such pair out; false when there is none. */
  remove(pair: Pair): boolean {
    const at = this.#chunkFor(pair);
    const chunk = this.#chunks[at];
    if (!chunk) return false;
    const place = placeIn(chunk, pair);
    if (chunk.ranks[place] !== pair.rank || chunk.marks[place] !== pair.mark) return false;
    chunk.ranks.splice(place, 1);
    chunk.marks.splice(place, 1);
    if (chunk.ranks.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  first(): Pair | undefined {
    return pairAt(this.#chunks[0], 0);
  }

  last(): Pair | undefined {
    const chunk = this.#chunks.at(-1);
    return pairAt(chunk, (chunk?.ranks.length ?? 0) - 1);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#size = 0;
  }

  /** The first chunk that does not end before `pair`, or the last one. */
  #chunkFor(pair: Pair): number {
    let low = 0;
    let high = Math.max(0, this.#chunks.length - 1);
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      if (chunk && isBefore(chunk, chunk.ranks.length - 1, pair)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where in the chunk the first pair stands that is not before `pair`. */
function placeIn(chunk: Chunk, pair: Pair): number {
  let low = 0;
  let high = chunk.ranks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(chunk, middle, pair)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore({ ranks, marks }: Chunk, at: number, { rank, mark }: Pair): boolean {
  const other = ranks[at] ?? 0;
  return other === rank ? (marks[at] ?? 0) < mark : other < rank;
}

function pairAt(chunk: Chunk | undefined, at: number): Pair | undefined {
  const rank = chunk?.ranks[at];
  const mark = chunk?.marks[at];
  return rank === undefined || mark === undefined ? undefined : { rank, mark };
}
