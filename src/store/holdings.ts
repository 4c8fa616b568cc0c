/**
 * The DAGs that this node holds, and who may still write them: everything that changes blocks goes
 * through here, one after the other. What a write, a removal or making room consists of is done by
 * `writes`, `removal`, `room` and `lifecycle`; this file says when.
 */
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Block, HeldRoot, Holding, Holdings, NewHolding } from '../content/ports.ts';
import type { BlockFiles } from './block-files.ts';
import type { BlockIndex } from './block-index.ts';
import type { Book, HoldingStep } from './book.ts';
import { Compaction, quietShare } from './compaction.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingsCounted } from './holding-counts.ts';
import { heldRootOf } from './holding-kinds.ts';
import type { HoldingTable } from './holding-table.ts';
import { HoldingWriter, type WriterPort } from './holding-writer.ts';
import { Lifecycle, staysPartial } from './lifecycle.ts';
import { Losses } from './losses.ts';
import { OpenHoldings } from './open-holdings.ts';
import type { PackFiles } from './pack-files.ts';
import type { PackLimits } from './pack-layout.ts';
import type { PackTable } from './pack-table.ts';
import { PeerRoom } from './peer-room.ts';
import { closedError, SerialQueue } from './queue.ts';
import { Removal } from './removal.ts';
import { Room } from './room.ts';
import type { SharedLists } from './shared-lists.ts';
import { Sharing } from './sharing.ts';
import { Touches } from './touches.ts';
import type { Write } from './write-requests.ts';
import { Writes } from './writes.ts';

/** One commit takes at most about this much of what waits. */
const groupBytesMax = 16 * 1024 * 1024;
const groupBlocksMax = 4096;
const flushedAtOnce = 256;

export interface HoldingStoreParts {
  readonly environment: Environment;
  readonly book: Book;
  readonly index: BlockIndex;
  readonly table: HoldingTable;
  readonly lists: SharedLists;
  readonly files: BlockFiles;
  readonly packs: PackTable;
  readonly packFiles: PackFiles;
  readonly packLimits: PackLimits;
  readonly folder: string;
  readonly world: World;
  readonly log: Logger;
}

export class HoldingStore implements Holdings {
  readonly #book: Book;
  readonly #table: HoldingTable;
  readonly #log: Logger;
  readonly #opens = new OpenHoldings();
  readonly #touches: Touches;
  readonly #removal: Removal;
  readonly #compaction: Compaction;
  readonly #room: Room;
  readonly #peers: PeerRoom;
  readonly #lifecycle: Lifecycle;
  readonly #losses: Losses;
  readonly #queue: SerialQueue<Write>;
  readonly #writerPort: WriterPort;
  readonly #listeners: ((root: HeldRoot) => void)[] = []; // BOUNDED by the parts of the program

  constructor(parts: HoldingStoreParts) {
    const { book, table, world, log } = parts;
    this.#book = book;
    this.#table = table;
    this.#log = log;
    const nowMs = (): number => world.clock.unixMs();
    const onRemoved = (holding: StoredHolding): void => this.#tellRemoved(holding);
    this.#touches = new Touches(world, () => this.#inBackground(this.flush()));
    this.#losses = new Losses({ ...parts, opens: this.#opens });
    this.#removal = new Removal(parts);
    this.#compaction = new Compaction({ ...parts, losses: this.#losses });
    const going = { removal: this.#removal, compaction: this.#compaction };
    const shared = { ...parts, ...going, opens: this.#opens, nowMs, onRemoved };
    this.#room = new Room({ ...shared, usedMs: (holding) => this.#touches.usedMs(holding) });
    this.#peers = new PeerRoom(shared);
    const both = { room: this.#room, peers: this.#peers };
    const lifecycle = new Lifecycle({ ...shared, ...both });
    this.#lifecycle = lifecycle;
    const writes = new Writes({ ...shared, ...both, lifecycle });
    const sharing = new Sharing({ ...shared, lifecycle });
    this.#queue = new SerialQueue({
      writeAll: (group) => writes.writeAll(group),
      weightOf: ({ blocks, hashes }) =>
        (blocks.length + hashes.length) / groupBlocksMax + bytesOf(blocks) / groupBytesMax,
      background: async () => (await this.#removeSome()) || this.#compaction.step(quietShare),
    });
    this.#writerPort = {
      write: (write) => {
        if (this.#queue.isStopped) write.reject(closedError());
        else this.#queue.write(write);
      },
      share: (...asked) => this.#queue.alone(() => sharing.share(...asked)),
      reserve: (...asked) => this.#queue.alone(() => lifecycle.reserve(...asked)),
      requireRoom: (...asked) => this.#queue.alone(() => lifecycle.requireRoom(...asked)),
      complete: (...asked) => this.#queue.alone(() => lifecycle.complete(...asked)),
      close: async (...asked) => {
        // What is open when the store is closed is put in order at the next start.
        if (!this.#queue.isStopped) await this.#queue.alone(() => lifecycle.close(...asked));
      },
    };
  }

  /** Once, before anything is written: takes up what a crash or a smaller budget has left to do. */
  async begin(): Promise<void> {
    for (const holding of this.#table.list()) {
      if (holding.state === 'going') this.#removal.resume(holding);
      const isUnfinished = holding.state === 'writing' && !staysPartial(holding);
      if (isUnfinished) await this.#removal.mark(holding);
    }
    this.#queue.wake();
    if (this.#book.room() < 0) this.#inBackground(this.#queue.alone(() => this.#room.shrink()));
  }

  async open(what: NewHolding): Promise<Holding> {
    const open = this.#opens.open(what);
    const writer = new HoldingWriter(this.#writerPort, open, what.kind);
    try {
      if (this.#lifecycle.isRaisedBy(open, what)) {
        await this.#queue.alone(() => this.#lifecycle.raise(open, what));
      }
    } catch (error) {
      await writer.close();
      throw error;
    }
    return writer;
  }

  /** Holdings that went to make room, since the start. */
  get evicted(): number {
    return this.#room.evicted;
  }

  /** How many `list` gives, without listing them. */
  counted(): HoldingsCounted {
    return this.#book.counted;
  }

  get(hash: Bytes): HeldRoot | undefined {
    const holding = this.#table.ofRoot(hash);
    return holding && heldRootOf(holding, this.#touches.usedMs(holding));
  }

  *list(): Iterable<HeldRoot> {
    for (const holding of this.#table.list()) {
      const root = heldRootOf(holding, this.#touches.usedMs(holding));
      if (root) yield root;
    }
  }

  touch(hash: Bytes): void {
    if (this.#table.has(hash)) this.#touches.touch(hash);
  }

  change(hash: Bytes, to: Parameters<Holdings['change']>[1]): Promise<void> {
    return this.#queue.alone(async () => {
      const before = this.#table.ofRoot(hash);
      if (!before) return;
      const isReplica = (to.kind ?? before.kind) === 'replica';
      const origin = isReplica ? {} : { from: undefined, source: '' };
      const after: StoredHolding = { ...before, ...to, ...origin };
      await this.#book.commit({ holdings: [{ before, after }] });
      if (after.supersededMs !== undefined) await this.#peers.settle(after);
    });
  }

  async remove(hash: Bytes): Promise<void> {
    const number = await this.#queue.alone(async () => {
      const holding = this.#table.ofRoot(hash);
      if (!holding) return undefined;
      await this.#removal.mark(holding);
      this.#tellRemoved(holding);
      return holding.number;
    });
    if (number !== undefined) await this.#removal.finished(number);
  }

  onRemoved(listener: (root: HeldRoot) => void): void {
    this.#listeners.push(listener);
  }

  usage(): { readonly bytes: number; readonly bytesMax: number } {
    return { bytes: this.#book.totals.cost, bytesMax: this.#book.budget.bytesMax };
  }

  usageFor(from: Bytes): { readonly bytes: number; readonly bytesMax: number } {
    return { bytes: this.#book.heldFor(from), bytesMax: this.#book.budget.perPeerBytesMax };
  }

  /** What never makes room for anything else: above all, what this node's user published. */
  pinnedBytes(): number {
    return this.#room.pinnedBytes();
  }

  /** Roots from a store of version 1 that do not name their blocks yet. */
  unnamedRoots(): HeldRoot[] {
    const old = [...this.#table.list()].filter(({ legacy }) => legacy);
    return old.flatMap((holding) => heldRootOf(holding, holding.usedMs) ?? []);
  }

  /** They have been adopted and completed; those that could not be are damaged, the rest goes. */
  finishNaming(): Promise<void> {
    return this.#queue.alone(async () => {
      for (const before of this.#table.list()) {
        if (!before.legacy || before.state === 'going') continue;
        const after: StoredHolding = { ...before, state: 'damaged', legacy: false };
        if (before.root) await this.#book.commit({ holdings: [{ before, after }] });
        else await this.#removal.mark(before);
      }
    });
  }

  /** Forgets blocks that turned out to be lost. */
  forget(hashes: readonly Bytes[]): Promise<void> {
    return this.#queue.alone(() => this.#losses.forget(hashes));
  }

  /** Writes down what was used when. */
  flush(): Promise<void> {
    return this.#queue.alone(async () => {
      const steps: HoldingStep[] = this.#touches.take().flatMap(({ hash, usedMs }) => {
        const before = this.#table.ofRoot(hash);
        return before && before.usedMs < usedMs ? [{ before, after: { ...before, usedMs } }] : [];
      });
      for (let at = 0; at < steps.length; at += flushedAtOnce) {
        await this.#book.commit({ holdings: steps.slice(at, at + flushedAtOnce) });
      }
    });
  }

  /** Resolves when everything that was asked for is done or has failed. */
  async stop(): Promise<void> {
    await this.flush().catch(() => undefined);
    await this.#queue.stop();
    this.#removal.release();
  }

  async #removeSome(): Promise<boolean> {
    try {
      return await this.#removal.step();
    } catch (error) {
      // It is tried again after the next removal, and at the next start.
      this.#log.warn('blocks cannot be removed', { why: String(error) });
      this.#removal.release();
      return false;
    }
  }

  #tellRemoved(holding: StoredHolding): void {
    const root = heldRootOf(holding, this.#touches.usedMs(holding));
    if (root) for (const listener of this.#listeners) listener(root);
  }

  /** What nobody waits for; its failure is only worth a line in the log. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#log.warn('the store is behind', { why: String(error) }));
  }
}

function bytesOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.bytes.length, 0);
}
