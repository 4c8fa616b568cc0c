/**
 * Lets a holding that is begun have what another one has, list by list, instead of naming each
 * block again: a version of a site mostly differs from the one before by a few blocks. What the
 * new one does not want is moved out of a list first. Runs inside the queue of `holdings`.
 */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import type { Likeness } from '../content/ports.ts';
import { type BlockIndex, memberHashAt } from './block-index.ts';
import type { Book, HoldingStep } from './book.ts';
import { holdingCost, membershipCost } from './costs.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingTable } from './holding-table.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OpenHolding, OpenHoldings } from './open-holdings.ts';
import { type ListStep, ownersMax, type SharedList, type SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';
import type { Reservation } from './write-requests.ts';

/** Fewer blocks are as quickly named one by one, and lists shall not become many. */
const commonMin = 256;
/** What is moved in the one commit. */
const movedMax = 4096;
/** What an entry takes of the disk at worst. */
const entrySpaceBytes = 8192;
const keysAtOnce = 1024;
/** Then others get their turn. */
const keysInARow = 4096;
const lookedUpInARow = 1024;

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
  readonly like: Likeness;
  /** The same, one by one. */
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
  ): Promise<Iterable<Bytes>> {
    const base = this.#baseFor(open, reservation, like.root);
    if (!base || like.without.length > movedMax) return hashes;
    // BOUNDED by movedMax
    const unwanted = new Map(like.without.map((hash) => [textOf(hash), hash]));
    const splits: Split[] = []; // BOUNDED by the lists of `base`
    const rest: Bytes[] = []; // BOUNDED by what `base` names
    for (const list of this.#listsOf(base)) {
      const left = await this.#takeFrom(list, unwanted);
      const split = this.#split(list, left);
      if (split) splits.push(split);
      else await this.#listRest(list, left, rest);
    }
    if (splits.length === 0 || !this.#hasSpace(splits)) return hashes;
    const after = await this.#commit(open, { base, splits });
    if (!open.root) this.#parts.opens.number(open, after.number);
    open.written ??= after.number;
    return rest;
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

  /** What the list names of what is unwanted; no other list of the holding does. */
  async #takeFrom({ number }: SharedList, unwanted: Map<string, Bytes>): Promise<readonly Bytes[]> {
    const { index } = this.#parts;
    const left: Bytes[] = []; // BOUNDED by `unwanted`
    let lookedUp = 0;
    for (const [text, hash] of unwanted) {
      if (++lookedUp % lookedUpInARow === 0) await setImmediate();
      if (!index.isMember(number, hash)) continue;
      left.push(hash);
      unwanted.delete(text);
    }
    return left;
  }

  /** Undefined where what is wanted of the list is better named one by one. */
  #split(list: SharedList, left: readonly Bytes[]): Split | undefined {
    if (list.owners.length >= ownersMax) return undefined;
    const { index } = this.#parts;
    let missing = left.length + Math.max(commonMin, left.length);
    for (const _ of index.memberKeys(list.number, Math.min(missing, keysAtOnce))) {
      if (--missing === 0) break;
    }
    if (missing > 0) return undefined;
    const leftCost = left.reduce(
      (sum, hash) => sum + membershipCost + (index.costOf(hash) ?? 0),
      0,
    );
    return { list, left, leftCost };
  }

  /** Adds what is wanted of the list to `rest`. */
  async #listRest(list: SharedList, left: readonly Bytes[], rest: Bytes[]): Promise<void> {
    const unwanted = new Set(left.map(textOf));
    let read = 0;
    for (const key of this.#parts.index.memberKeys(list.number, keysAtOnce)) {
      if (++read % keysInARow === 0) await setImmediate();
      const hash = new Uint8Array(key.subarray(memberHashAt));
      if (!unwanted.has(textOf(hash))) rest.push(hash);
    }
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
