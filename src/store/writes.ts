/**
 * Brings the writes of one group to the disk: first the packs of the blocks that are new, then one
 * commit that names them. Runs inside the queue of `holdings`, and sees to it that the budget is
 * never exceeded, whoever writes at the same time.
 */
import type { Bytes } from '../base/bytes.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import type { BlockIndex } from './block-index.ts';
import type { Book } from './book.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OpenHolding, OpenHoldings } from './open-holdings.ts';
import type { PackFiles } from './pack-files.ts';
import { layOut, type PackLimits } from './pack-layout.ts';
import type { PackTable } from './pack-table.ts';
import type { PeerRoom } from './peer-room.ts';
import { type Draft, WritePlan } from './plan.ts';
import type { Room } from './room.ts';
import type { SharedLists } from './shared-lists.ts';
import type { Write } from './write-requests.ts';

export interface WritesParts {
  readonly environment: Environment;
  readonly book: Book;
  readonly index: BlockIndex;
  readonly lists: SharedLists;
  readonly packs: PackTable;
  readonly packFiles: PackFiles;
  readonly packLimits: PackLimits;
  readonly opens: OpenHoldings;
  readonly room: Room;
  readonly peers: PeerRoom;
  readonly folder: string;
  readonly nowMs: () => number;
  readonly lifecycle: Pick<Lifecycle, 'find' | 'begin' | 'fallBack'>;
}

/** Writes that share a commit, and those to be told when it is done. */
class Group {
  readonly plan: WritePlan;
  /** Numbers of holdings that have no entry before the commit. BOUNDED by the writes. */
  readonly begun = new Map<OpenHolding, StoredHolding>();
  readonly done: {
    readonly write: Write;
    readonly missing: readonly Bytes[];
    /** Of its holding, if that has an entry after the commit. */
    readonly number: number | undefined;
  }[] = []; // BOUNDED by the writes

  constructor({
    index,
    lists,
    packLimits,
    book,
  }: Pick<WritesParts, 'index' | 'lists' | 'packLimits' | 'book'>) {
    this.plan = new WritePlan(index, { lists, packLimits, inlineRoom: book.inlineRoom() });
  }
}

export class Writes {
  readonly #parts: WritesParts;

  constructor(parts: WritesParts) {
    this.#parts = parts;
  }

  async writeAll(writes: readonly Write[]): Promise<void> {
    let group = new Group(this.#parts);
    for (const write of writes) {
      try {
        if (this.#take(group, write)) continue;
        // What goes to make room must not be what the writes so far rely on.
        await this.#commit(group);
        group = new Group(this.#parts);
        await this.#takeWithRoom(group, write);
      } catch (error) {
        write.reject(error);
      }
    }
    await this.#commit(group);
  }

  #draft(group: Group, { open, blocks, hashes }: Write): Draft {
    const stored = this.#parts.lifecycle.find(open);
    if (stored) {
      const holding = group.plan.holding(stored.number) ?? stored;
      return group.plan.draft({ holding, isNew: false }, { blocks, hashes });
    }
    const begun = group.begun.get(open) ?? this.#parts.lifecycle.begin(open);
    group.begun.set(open, begun);
    const planned = group.plan.holding(begun.number);
    const holding = planned ?? begun;
    return group.plan.draft({ holding, isNew: planned === undefined }, { blocks, hashes });
  }

  /** False when there is no room. */
  #take(group: Group, write: Write): boolean {
    const draft = this.#draft(group, write);
    if (this.#isTooMuchOfPeer({ draft, write })) return false;
    if (this.#shortage(group, { draft, write }) > 0) return false;
    this.#settle(group, { draft, write });
    return true;
  }

  async #takeWithRoom(group: Group, write: Write): Promise<void> {
    for (;;) {
      const draft = this.#draft(group, write);
      if (this.#isTooMuchOfPeer({ draft, write })) {
        await this.#requirePeerRoom({ draft, write });
        group.begun.delete(write.open); // it may begin as something else now
        continue; // what went may have been part of it
      }
      const shortage = this.#shortage(group, { draft, write });
      if (shortage <= 0) return this.#settle(group, { draft, write });
      if (await this.#parts.room.make(shortage)) continue;
      throw this.#full(draft);
    }
  }

  async #requirePeerRoom({ draft, write }: { draft: Draft; write: Write }): Promise<void> {
    const { peers, lifecycle } = this.#parts;
    const whose = { origin: draft.holding, open: write.open };
    try {
      await peers.require(uncovered({ draft, write }), whose);
    } catch (error) {
      const isFull = isAltNetError(error, 'STORE_FULL');
      if (!isFull || !(await lifecycle.fallBack(write.open))) throw error;
    }
  }

  #shortage(group: Group, { draft, write }: { draft: Draft; write: Write }): number {
    const { book } = this.#parts;
    return draft.cost - coveredOf({ draft, write }) - (book.room() - group.plan.cost);
  }

  #isTooMuchOfPeer({ draft, write }: { draft: Draft; write: Write }): boolean {
    const room = this.#parts.peers.of(draft.holding, write.open);
    return uncovered({ draft, write }) > room.bytes;
  }

  #settle(group: Group, { draft, write }: { draft: Draft; write: Write }): void {
    const { book, nowMs } = this.#parts;
    const { reservation } = write;
    const covered = coveredOf({ draft, write });
    if (covered > 0 && reservation.origin) {
      reservation.bytes -= covered;
      book.reserve(-covered, reservation.origin);
    }
    group.plan.take(draft, nowMs());
    for (const id of draft.named.keys()) write.open.lost.delete(id);
    const hasEntry = !draft.isNew || draft.named.size > 0;
    const number = hasEntry ? draft.holding.number : undefined;
    group.done.push({ write, missing: draft.missing, number });
  }

  async #commit(group: Group): Promise<void> {
    const { plan, begun, done } = group;
    try {
      if (!plan.isEmpty) await this.#bring(plan);
      for (const [open, { number }] of begun) {
        if (!open.root && plan.holding(number)) this.#parts.opens.number(open, number);
      }
      for (const { write, missing, number } of done) {
        write.open.written ??= number;
        write.resolve(missing);
      }
    } catch (error) {
      // A disk that others have filled is a smaller budget.
      const failure = this.#explain(error);
      const writes = done.map(({ write }) => write);
      if (await this.#hasMadeRoom(failure, plan.cost)) return this.#writeAgain(writes);
      for (const write of writes) write.reject(failure);
    }
  }

  async #hasMadeRoom(failure: unknown, bytes: number): Promise<boolean> {
    if (!isAltNetError(failure, 'DISK_FULL')) return false;
    return this.#parts.room.make(bytes).catch(() => false);
  }

  /** As if they came now: what they build on may have gone to make room. */
  async #writeAgain(writes: readonly Write[]): Promise<void> {
    const group = new Group(this.#parts);
    for (const write of writes) {
      try {
        if (!this.#take(group, write)) throw this.#full(this.#draft(group, write));
      } catch (error) {
        write.reject(error);
      }
    }
    await this.#commit(group);
  }

  #full({ cost }: Draft): AltNetError {
    const { bytesMax } = this.#parts.book.budget;
    return new AltNetError('STORE_FULL', { bytes: cost, bytesMax });
  }

  async #bring(plan: WritePlan): Promise<void> {
    const { environment, packs, packFiles, book } = this.#parts;
    environment.requireSpace({ entries: plan.entries, bytes: plan.bytes });
    const made = plan.packed().map((blocks) => layOut(blocks, packs.takeNumber()));
    try {
      await packFiles.writeAll(made);
      await book.commit(plan.entry(made));
    } catch (error) {
      await packFiles.removeAll(made.map(({ number }) => number)).catch(() => undefined);
      throw error;
    }
  }

  #explain(error: unknown): unknown {
    const code = systemCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
    return new AltNetError('DISK_FULL', { folder: this.#parts.folder }, { cause: error });
  }
}

/** What was set aside for it, also for blocks that turn out to be here already. */
function coveredOf({ draft, write }: { draft: Draft; write: Write }): number {
  return Math.min(write.reservation.bytes, Math.max(draft.cost, draft.charge));
}

/** What it adds to the account of its peer. */
function uncovered({ draft, write }: { draft: Draft; write: Write }): number {
  return draft.charge - coveredOf({ draft, write });
}
