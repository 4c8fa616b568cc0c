/**
 * The content module's storage ports in memory, for tests. Production keeps blocks with `store` and
 * never uses these.
 */
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import type {
  Block,
  Blocks,
  HeldRoot,
  Holding,
  HoldingKind,
  Holdings,
  NewHolding,
} from '../../src/content/ports.ts';
import type { Link } from '../../src/content/root.ts';

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

  /** Like a holding, for those who need no more of one. */
  adopt(hashes: readonly Bytes[]): Promise<readonly Bytes[]> {
    return Promise.resolve(hashes.filter((hash) => !this.has(hash)));
  }

  reserve(): Promise<void> {
    return Promise.resolve();
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

/** Holdings over `MemoryBlocks`, without a budget. BOUNDED by what a test puts in. */
export class MemoryHoldings implements Holdings {
  readonly #blocks: MemoryBlocks;
  readonly #roots = new Map<string, HeldRoot>();
  readonly #listeners: ((root: HeldRoot) => void)[] = [];
  /** What `usage` says; `reserve` beyond it is refused. */
  bytesMax: number = Number.MAX_SAFE_INTEGER;

  constructor(blocks: MemoryBlocks) {
    this.#blocks = blocks;
  }

  open({ kind, root, from, keep = false }: NewHolding): Promise<Holding> {
    const enter = (link: Link, is: Pick<HeldRoot, 'complete' | 'files' | 'bytes'>): void => {
      const before = this.get(link.hash);
      const nowMs = Date.now();
      this.#roots.set(toHex(link.hash), {
        ...link,
        kind: before && ranks[before.kind] > ranks[kind] ? before.kind : kind,
        addedMs: before?.addedMs ?? nowMs,
        usedMs: nowMs,
        from,
        keep,
        ...is,
      });
    };
    if (root && !this.get(root.hash)) enter(root, { complete: false, files: 0, bytes: 0 });
    return Promise.resolve({
      putAll: (blocks) => this.#blocks.putAll(blocks),
      adopt: (hashes) => Promise.resolve(hashes.filter((hash) => !this.#blocks.has(hash))),
      reserve: (bytes) => {
        const { bytesMax } = this;
        if (bytes <= bytesMax) return Promise.resolve();
        return Promise.reject(new AltNetError('STORE_FULL', { bytes, bytesMax }));
      },
      complete: ({ link, files, bytes }) => {
        enter(link, { complete: true, files, bytes });
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  get(hash: Bytes): HeldRoot | undefined {
    return this.#roots.get(toHex(hash));
  }

  list(): HeldRoot[] {
    return [...this.#roots.values()];
  }

  touch(hash: Bytes): void {
    const root = this.get(hash);
    if (root) this.#roots.set(toHex(hash), { ...root, usedMs: Date.now() });
  }

  change(hash: Bytes, to: Parameters<Holdings['change']>[1]): Promise<void> {
    const root = this.get(hash);
    if (root) this.#roots.set(toHex(hash), { ...root, ...to });
    return Promise.resolve();
  }

  /** Leaves the blocks: whose they are is not kept. */
  remove(hash: Bytes): Promise<void> {
    const root = this.get(hash);
    this.#roots.delete(toHex(hash));
    if (root) for (const listener of this.#listeners) listener(root);
    return Promise.resolve();
  }

  onRemoved(listener: (root: HeldRoot) => void): void {
    this.#listeners.push(listener);
  }

  usage(): { bytes: number; bytesMax: number } {
    return { bytes: 0, bytesMax: this.bytesMax };
  }

  usageFor(): { bytes: number; bytesMax: number } {
    return this.usage();
  }
}

const ranks: Readonly<Record<HoldingKind, number>> = { own: 2, replica: 1, visited: 0 };
