/**
 * The content module's storage ports in memory, for tests. Production keeps blocks with `store` and
 * never uses these.
 */
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { Block, Blocks, HeldRoot, Roots } from '../../src/content/ports.ts';

/** BOUNDED by what a test puts in. Counts what is written, refetched blocks included. */
export class MemoryBlocks implements Blocks {
  readonly #blocks = new Map<string, Bytes>();
  /** Blocks handed to `putAll`, in order. */
  readonly written: Bytes[] = [];
  /** Called before each batch; a rejection is what the store answers. */
  beforePut: (() => Promise<void>) | undefined;

  get size(): number {
    return this.#blocks.size;
  }

  get(hash: Bytes): Bytes | undefined {
    return this.#blocks.get(toHex(hash));
  }

  has(hash: Bytes): boolean {
    return this.#blocks.has(toHex(hash));
  }

  async putAll(blocks: readonly Block[]): Promise<void> {
    await this.beforePut?.();
    for (const { hash, bytes } of blocks) {
      this.written.push(hash);
      this.#blocks.set(toHex(hash), bytes.slice());
    }
  }

  /** Stores any bytes, well-formed or not, under their hash. */
  add(bytes: Bytes): Bytes {
    const hash = sha256(bytes);
    this.#blocks.set(toHex(hash), bytes);
    return hash;
  }

  delete(hash: Bytes): void {
    this.#blocks.delete(toHex(hash));
  }

  hashes(): string[] {
    return [...this.#blocks.keys()];
  }
}

/** BOUNDED by what a test puts in. */
export class MemoryRoots implements Roots {
  readonly #roots = new Map<string, HeldRoot>();

  get(hash: Bytes): HeldRoot | undefined {
    return this.#roots.get(toHex(hash));
  }

  list(): HeldRoot[] {
    return [...this.#roots.values()];
  }

  put(root: HeldRoot): Promise<void> {
    this.#roots.set(toHex(root.hash), root);
    return Promise.resolve();
  }

  remove(hash: Bytes): Promise<void> {
    this.#roots.delete(toHex(hash));
    return Promise.resolve();
  }
}
