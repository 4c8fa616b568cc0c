/**
 * Blocks of one root on their way into the store: verified, readable already, and not yet safe. All
 * who fetch something of the root at the same time write through this one place, so that a block
 * that came for one of them is there for the others. It knows no peers.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { BlockWriter } from '../block-writer.ts';
import type { Block, Blocks, Holding } from '../ports.ts';
import { hashKey } from '../dag/root.ts';
import { Slabs, worthwhileBytes } from '../slabs.ts';

/** Of what comes fast: a commit costs as much as receiving ten blocks. */
const swiftBatchBytesMax = 8 * 1024 * 1024;

export class Arrivals implements Blocks {
  /** Memory of blocks, which the disk worker can see; it comes back once they are stored. */
  readonly slabs: Slabs = new Slabs(undefined, { isShared: true });
  readonly #store: Blocks;
  /** BOUNDED by what the writer holds, see add(). */
  readonly #unstored = new Map<string, Bytes>();
  /** Opened by those who fetch; any of them does. BOUNDED by their number. */
  readonly #holdings = new Set<Holding>();
  readonly #listeners = new Set<() => void>(); // BOUNDED likewise
  readonly #writer: BlockWriter;
  #turn: Promise<void> | undefined;
  #turns = 0;

  constructor(store: Blocks, clock: Pick<Clock, 'monotonicMs'>) {
    this.#store = store;
    const putAll = (blocks: readonly Block[]): Promise<void> => this.#put(blocks);
    this.#writer = new BlockWriter(
      { putAll },
      { slabs: this.slabs, swift: { clock, bytesMax: swiftBatchBytesMax } },
    );
  }

  /** The store refused something: nothing that is added will be reported as safe. */
  get hasFailed(): boolean {
    return this.#writer.hasFailed;
  }

  has(hash: Bytes): boolean {
    return this.#unstored.has(hashKey(hash)) || this.#store.has(hash);
  }

  get(hash: Bytes): Bytes | undefined {
    const unstored = this.#unstored.get(hashKey(hash));
    if (unstored === undefined) return this.#store.get(hash);
    // Large ones lie in memory that is used again as soon as they are stored.
    return unstored.length < worthwhileBytes ? unstored : unstored.slice();
  }

  /** Takes the memory of a block that is here already. A promise as with `add`. */
  drop({ bytes }: Block): Promise<void> | undefined {
    this.slabs.give(bytes);
    return this.#turn;
  }

  /**
   * Takes a verified block that is not here. A promise means: wait for it before adding another
   * one. Rejects, then or later, with what the store said.
   */
  add(block: Block): Promise<void> | undefined {
    this.#unstored.set(hashKey(block.hash), block.bytes);
    const room = this.#writer.add(block);
    for (const listener of this.#listeners) listener();
    if (room === undefined) return this.#turn;
    // While one waits for the disk nobody adds: the memory is the same for many as for one.
    this.#turn = this.#after(room);
    return this.#turn;
  }

  async #after(room: Promise<void>): Promise<void> {
    const turn = this.#turns++;
    await Promise.all([this.#turn, room]);
    if (turn === this.#turns - 1) this.#turn = undefined;
  }

  /**
   * What is added goes into `holding` as well as any other; it must be given back. `onArrival` is
   * called whenever a block has become readable.
   */
  open(holding: Holding, onArrival?: () => void): void {
    this.#holdings.add(holding);
    if (!onArrival) return;
    this.#listeners.add(onArrival);
    onArrival();
  }

  /** Resolves when everything that was added is safe, and `holding` is no longer used. */
  async close(holding: Holding, onArrival?: () => void): Promise<void> {
    if (onArrival) this.#listeners.delete(onArrival);
    if (this.#holdings.size > 1) this.#holdings.delete(holding); // what follows goes into others
    try {
      await this.#writer.finish();
    } finally {
      this.#holdings.delete(holding);
    }
  }

  async #put(blocks: readonly Block[]): Promise<void> {
    try {
      const [holding] = this.#holdings;
      await holding?.putAll(blocks);
    } finally {
      for (const { hash } of blocks) this.#unstored.delete(hashKey(hash));
    }
  }
}
