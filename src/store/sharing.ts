/**
 * Lets a holding that is begun have what another one has, list by list, instead of naming each
 * block again: a version of a site mostly differs from the one before by a few blocks. What the
 * new one does not want is moved out of a list first. Runs inside the queue of `holdings`.
 */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import { type BlockIndex, memberHashAt } from './block-index.ts';
import type { Book, HoldingStep } from './book.ts';
import { holdingCost, membershipCost } from './costs.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import { HashSet } from './hash-set.ts';
import type { HoldingTable } from './holding-table.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OpenHolding, OpenHoldings } from './open-holdings.ts';
import { type ListStep, ownersMax, type SharedList, type SharedLists } from './shared-lists.ts';
import type { Reservation } from './write-requests.ts';

/** Fewer blocks are as quickly named one by one, and lists shall not become many. */
const commonMin = 256;
/** What is moved in the one commit. */
const movedMax = 4096;
/** What an entry takes of the disk at worst. */
const entrySpaceBytes = 8192;
const keysAtOnce = 1024;
/** Then others get their turn: all of them would take a quarter of a second. */
const keysInARow = 4096;

export interface SharingParts {
  readonly environment: Environment;
  readonly book: Book;
  readonly index: BlockIndex;
  readonly table: HoldingTable;
  readonly lists: SharedLists;
  readonly opens: OpenHoldings;
  readonly lifecycle: Pick<Lifecycle, 'find' | 'begin'>;
}

export interface SharingAsked {
  /** Root of the holding that has most of it. */
  readonly like: Bytes;
  readonly hashes: Iterable<Bytes>;
}

/** A list as it will be had by the new holding as well, without the blocks in `left`. */
interface Split {
  readonly list: SharedList;
  readonly left: readonly Bytes[];
  readonly leftCost: number;
}

export class Sharing {
  readonly #parts: SharingParts;

  constructor(parts: SharingParts) {
    this.#parts = parts;
  }

  /**
   * Gives back those of `hashes` that the holding does not name afterwards: all of them where there
   * is nothing to be shared, or something is in the way.
   */
  async share(
    open: OpenHolding,
    reservation: Reservation,
    { like, hashes }: SharingAsked,
  ): Promise<readonly Bytes[]> {
    const base = this.#baseFor(open, reservation, like);
    if (!base) return [...hashes];
    const wanted = new HashSet(hashes);
    const splits: Split[] = []; // BOUNDED by the lists of `base`
    let room = movedMax;
    for (const list of this.#listsOf(base)) {
      const split = await this.#split(list, { wanted, room });
      if (!split) continue;
      splits.push(split);
      room -= split.left.length;
    }
    if (splits.length === 0 || !this.#hasSpace(splits)) return [...hashes];
    const after = await this.#commit(open, { base, splits });
    if (!open.root) this.#parts.opens.number(open, after.number);
    open.written ??= after.number;
    return wanted.rest();
  }

  /** Undefined where all is to be named one by one. */
  #baseFor(open: OpenHolding, reservation: Reservation, like: Bytes): StoredHolding | undefined {
    const { book, table, opens, lifecycle } = this.#parts;
    // What counts for a peer is counted block by block.
    if (open.begin.kind !== 'own' || lifecycle.find(open)) return undefined;
    const base = table.ofRoot(like);
    if (base?.state !== 'complete' || opens.has(base)) return undefined;
    // Whoever names them one by one makes room, where there is none.
    return book.room() + reservation.bytes < holdingCost ? undefined : base;
  }

  #hasSpace(splits: readonly Split[]): boolean {
    const moved = splits.reduce((sum, { left }) => sum + left.length, 0);
    const entries = 2 * moved + 2 * splits.length + 4; // and those of two holdings
    return this.#parts.environment.missingBytes(entries * entrySpaceBytes) <= 0;
  }

  /** That of the holding itself is seen as if it were shared already. */
  #listsOf({ number, cost }: StoredHolding): SharedList[] {
    const shared = this.#parts.lists.of(number);
    const ownCost = shared.reduce((rest, list) => rest - list.cost, cost - holdingCost);
    return [{ number, cost: ownCost, owners: [number] }, ...shared];
  }

  /** Takes what is in the list from `wanted`, unless it is better named one by one. */
  async #split(
    list: SharedList,
    { wanted, room }: { readonly wanted: HashSet; readonly room: number },
  ): Promise<Split | undefined> {
    if (list.owners.length >= ownersMax) return undefined;
    const { index } = this.#parts;
    const common: number[] = []; // BOUNDED by `wanted`
    const left: Bytes[] = []; // BOUNDED by `room`
    let read = 0;
    for (const key of index.memberKeys(list.number, keysAtOnce)) {
      if (++read % keysInARow === 0) await setImmediate();
      const place = wanted.find(key, memberHashAt);
      if (place === undefined) left.push(new Uint8Array(key.subarray(memberHashAt)));
      else common.push(place);
      if (left.length > room) return undefined;
    }
    if (common.length < commonMin || common.length < left.length) return undefined;
    for (const place of common) wanted.takeOut(place);
    const leftCost = left.reduce(
      (sum, hash) => sum + membershipCost + (index.costOf(hash) ?? 0),
      0,
    );
    return { list, left, leftCost };
  }

  /** The new holding, which has the lists from now on. */
  async #commit(
    open: OpenHolding,
    { base, splits }: { readonly base: StoredHolding; readonly splits: readonly Split[] },
  ): Promise<StoredHolding> {
    const { book, index, table, lists, lifecycle } = this.#parts;
    const begun = lifecycle.begin(open);
    const common = splits.reduce((sum, { list, leftCost }) => sum + list.cost - leftCost, 0);
    const after = { ...begun, cost: begun.cost + common };
    const steps: HoldingStep[] = [{ before: undefined, after }];
    // A list that is shared is nobody's own: whose it was gets another number, and an empty one.
    const isOwnShared = splits.some(({ list }) => list.number === base.number);
    const moved = isOwnShared ? { ...base, number: table.takeNumber() } : base;
    if (isOwnShared) {
      steps.unshift({ before: base, after: undefined }, { before: undefined, after: moved });
    }
    const renumber = (owner: number): number => (owner === base.number ? moved.number : owner);
    const changes = new Map<number, ListStep>(); // BOUNDED by the lists of `base`
    for (const before of isOwnShared ? lists.of(base.number) : []) {
      const owners = before.owners.map(renumber);
      changes.set(before.number, { before, after: { ...before, owners } });
    }
    const moves: { hash: Bytes; from: number; to: number }[] = []; // BOUNDED by movedMax
    for (const { list, left, leftCost } of splits) {
      const owners = list.owners.map(renumber);
      const shared = { ...list, cost: list.cost - leftCost, owners: [...owners, after.number] };
      changes.set(list.number, { before: lists.get(list.number), after: shared });
      if (left.length === 0) continue;
      const isAlone = owners.length === 1;
      const to = isAlone ? moved.number : table.takeNumber();
      if (!isAlone) {
        changes.set(to, { before: undefined, after: { number: to, cost: leftCost, owners } });
      }
      for (const hash of left) moves.push({ hash, from: list.number, to });
    }
    await book.commit({
      write: (writes) => {
        for (const { hash, from, to } of moves) {
          index.removeMember(writes, from, hash);
          index.addMember(writes, to, hash);
        }
      },
      holdings: steps,
      lists: [...changes.values()],
    });
    return after;
  }
}
