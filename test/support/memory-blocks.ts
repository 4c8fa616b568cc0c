/**
 * The content module's storage ports in memory, for tests. Production keeps blocks with `store` and
 * never uses these.
 */
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { type Clock, systemWorld } from '../../src/base/clock.ts';
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
import type { Link } from '../../src/content/dag/root.ts';

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
  adopt(hashes: Iterable<Bytes>): Promise<readonly Bytes[]> {
    return Promise.resolve([...hashes].filter((hash) => !this.has(hash)));
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

/** Holdings over `MemoryBlocks`. BOUNDED by what a test puts in. */
export class MemoryHoldings implements Holdings {
  readonly blocks: MemoryBlocks;
  readonly #clock: Clock;
  readonly #roots = new Map<string, HeldRoot>();
  /** Writers by root. */
  readonly #writers = new Map<string, number>();
  readonly #listeners: ((root: HeldRoot) => void)[] = [];
  /** What `usage` and `usageFor` say; `reserve` beyond them is refused. */
  bytesMax: number = Number.MAX_SAFE_INTEGER;
  perPeerBytesMax: number = Number.MAX_SAFE_INTEGER;

  constructor(blocks: MemoryBlocks, clock: Clock = systemWorld.clock) {
    this.blocks = blocks;
    this.#clock = clock;
  }

  open({ kind, root, from, keep = false }: NewHolding): Promise<Holding> {
    const enter = (link: Link, is: Pick<HeldRoot, 'complete' | 'files' | 'bytes'>): void => {
      const before = this.get(link.hash);
      const nowMs = this.#clock.unixMs();
      const stays = before && ranks[before.kind] >= ranks[kind];
      this.#roots.set(toHex(link.hash), {
        ...link,
        kind: stays ? before.kind : kind,
        addedMs: before?.addedMs ?? nowMs,
        usedMs: nowMs,
        from: stays ? before.from : from,
        keep: keep || before?.keep === true,
        supersededMs: before?.supersededMs,
        ...is,
      });
    };
    if (root) {
      const before = this.get(root.hash) ?? { complete: false, files: 0, bytes: 0 };
      enter(root, before);
      this.#count(root.hash, 1);
    }
    let closed = false;
    const close = (): Promise<void> => {
      if (root && !closed) this.#count(root.hash, -1);
      closed = true;
      return Promise.resolve();
    };
    return Promise.resolve({
      putAll: (blocks) => this.blocks.putAll(blocks),
      adopt: (hashes) => this.blocks.adopt(hashes),
      reserve: (bytes) => this.#reserve(bytes, kind === 'replica' ? from : undefined),
      requireRoom: (bytes) => this.#reserve(bytes, kind === 'replica' ? from : undefined),
      complete: ({ link, files, bytes }) => {
        enter(link, { complete: true, files, bytes });
        return Promise.resolve();
      },
      close,
      [Symbol.asyncDispose]: close,
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
    if (root) this.#roots.set(toHex(hash), { ...root, usedMs: this.#clock.unixMs() });
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

  /** Blocks got lost: the root is incomplete from now on. */
  damage(hash: Bytes, lost: readonly Bytes[]): void {
    for (const block of lost) this.blocks.delete(block);
    const root = this.get(hash);
    if (root) this.#roots.set(toHex(hash), { ...root, complete: false });
  }

  usage(): { bytes: number; bytesMax: number } {
    return { bytes: this.#sum(), bytesMax: this.bytesMax };
  }

  usageFor(from: Bytes): { bytes: number; bytesMax: number } {
    return { bytes: this.#sum(from), bytesMax: this.perPeerBytesMax };
  }

  #sum(from?: Bytes): number {
    const name = from && toHex(from);
    return this.list()
      .filter((root) => name === undefined || (root.from && toHex(root.from) === name))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #reserve(bytes: number, from: Bytes | undefined): Promise<void> {
    const limits = [this.usage(), ...(from ? [this.usageFor(from)] : [])];
    const full = limits.find((limit) => limit.bytes + bytes > limit.bytesMax);
    if (!full) return Promise.resolve();
    return Promise.reject(new AltNetError('STORE_FULL', { bytes, bytesMax: full.bytesMax }));
  }

  /** A holding that its last writer leaves incomplete is removed, unless it is of a visit. */
  #count(hash: Bytes, change: 1 | -1): void {
    const name = toHex(hash);
    const writers = (this.#writers.get(name) ?? 0) + change;
    this.#writers.set(name, writers);
    const root = this.get(hash);
    if (writers === 0 && root && !root.complete && root.kind !== 'visited')
      this.#roots.delete(name);
  }
}

const ranks: Readonly<Record<HoldingKind, number>> = { own: 2, replica: 1, visited: 0 };
