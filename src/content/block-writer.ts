/**
 * Brings blocks to the store in batches while the next ones are being read or fetched: a commit
 * costs the same for one block as for a hundred. Holds a bounded number of bytes, so whoever adds
 * must wait when told to.
 */
import type { Clock } from '../base/clock.ts';
import type { Block, Holding } from './ports.ts';
import { Slabs } from './slabs.ts';

/** Batches grow from the first to the second size: whoever waits for the first block waits less. */
const firstBatchBytes = 256 * 1024;
const batchBytesMaxDefault = 2 * 1024 * 1024;
const batchBlocks = 2048;
/** One that fills within this time may be followed by one of twice its size. */
const swiftMs = 100;
/** Batches on their way to the disk: one is written while the other fills up behind it. */
const batchesInFlightMax = 2;

export interface BlockWriterOptions {
  /** Called whenever blocks have become readable. */
  readonly onStored?: (() => void) | undefined;
  /** Gets back the memory of blocks that are stored. */
  readonly slabs?: Slabs;
  /** Larger batches take fewer commits, and their bytes more memory. Default 2 MiB. */
  readonly batchBytesMax?: number | undefined;
  /** Where batches fill fast they may grow to `bytesMax`: no block waits for long in them. */
  readonly swift?: SwiftBatches | undefined;
}

export interface SwiftBatches {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly bytesMax: number;
}

export class BlockWriter {
  readonly #holding: Pick<Holding, 'putAll'>;
  readonly #options: BlockWriterOptions;
  readonly #slabs: Slabs;
  #batchBytes = firstBatchBytes;
  #batch: Block[] = []; // BOUNDED by #nextBatchBytes() and batchBlocks, see add()
  #bytes = 0;
  /** When the batch began to fill; of the first one nobody knows. */
  #beganMs = -Infinity;
  /** None of them rejects. BOUNDED by batchesInFlightMax, see #flush(), and those who finish. */
  readonly #flights = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(holding: Pick<Holding, 'putAll'>, options: BlockWriterOptions = {}) {
    this.#holding = holding;
    this.#options = options;
    this.#slabs = options.slabs ?? new Slabs(0);
  }

  /**
   * Takes a block. A promise means: wait for it before adding another one. Rejects, then or later,
   * with what the store said first.
   */
  add(block: Block): Promise<void> | undefined {
    this.#batch.push(block);
    this.#bytes += block.bytes.length;
    if (this.#bytes < this.#batchBytes && this.#batch.length < batchBlocks) return undefined;
    return this.#flush();
  }

  /** Resolves when every block that was added is safe. */
  async finish(): Promise<void> {
    if (this.#batch.length > 0) this.#launch();
    await Promise.all(this.#flights); // also for what others wait for already
    if (this.#failure) throw this.#failure.error;
  }

  /** Nothing that was added since is certain to be stored. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  async #flush(): Promise<void> {
    this.#launch();
    const [oldest] = this.#flights;
    if (this.#flights.size >= batchesInFlightMax) await oldest;
    if (this.#failure) throw this.#failure.error;
  }

  #launch(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    this.#batchBytes = this.#nextBatchBytes();
    const flight = this.#write(batch)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#flights.delete(flight));
    this.#flights.add(flight);
  }

  #nextBatchBytes(): number {
    const { batchBytesMax = batchBytesMaxDefault, swift } = this.#options;
    const bytes = this.#batchBytes;
    if (!swift) return Math.min(bytes * 2, batchBytesMax);
    const beganMs = this.#beganMs;
    this.#beganMs = swift.clock.monotonicMs();
    if (this.#beganMs - beganMs <= swiftMs) return Math.min(bytes * 2, swift.bytesMax);
    return bytes < batchBytesMax ? bytes * 2 : Math.max(bytes / 2, batchBytesMax);
  }

  async #write(batch: readonly Block[]): Promise<void> {
    await this.#holding.putAll(batch);
    for (const { bytes } of batch) this.#slabs.give(bytes);
    this.#options.onStored?.();
  }
}
