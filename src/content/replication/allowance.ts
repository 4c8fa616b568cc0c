/** What one copy may bring: who declared less than it sends is cut off before that is stored. */

/** What was declared is not what came. */
export class Overrun extends Error {
  override readonly name = 'Overrun';
}

export class Allowance {
  readonly #bytesMax: number;
  readonly #blocksMax: number;
  #bytes = 0;
  #blocks = 0;

  constructor(declared: { readonly bytes: number; readonly blocks: number }) {
    this.#bytesMax = declared.bytes;
    this.#blocksMax = declared.blocks;
  }

  /** Of the blocks that came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a block. Throws Overrun when it is too much. */
  take(bytes: number): void {
    const isTooMuch = this.#bytes + bytes > this.#bytesMax || this.#blocks >= this.#blocksMax;
    if (isTooMuch) throw new Overrun('larger than was declared');
    this.#bytes += bytes;
    this.#blocks++;
  }
}
