/**
 * Lists of blocks that several holdings have in common, as the versions of a site do, so that what
 * did not change is written once (docs/spec/store.md, "Lists"). Owns the table `lists` and knows no
 * blocks.
 *
 * Every holding has a list of its own, under its number, which nobody shares: that one has no entry
 * here. The lists of one holding have no block in common.
 */
import { asBuffer } from '../base/bytes.ts';
import { encodeNumber } from './block-index.ts';
import type { Changes, Environment } from './environment.ts';
import type { Table } from './table.ts';
import { tableEntries } from './tables.ts';

export interface SharedList {
  /** Never that of a holding. */
  readonly number: number;
  /** Of its blocks, each in full, with the memberships. */
  readonly cost: number;
  /** Numbers of the holdings that have it: at least one, at most `ownersMax`. */
  readonly owners: readonly number[];
}

export interface ListStep {
  readonly before: SharedList | undefined;
  readonly after: SharedList | undefined;
}

/** Whoever leaves a block out splits the list, and writes a new one with all other owners. */
export const ownersMax = 64;

const costBytes = 8;
const ownerBytes = 4;

export class SharedLists {
  readonly #table: Table;
  /** BOUNDED by the table: a list is there as long as a holding has it. */
  readonly #byNumber = new Map<number, SharedList>();
  readonly #byOwner = new Map<number, Set<number>>(); // BOUNDED likewise

  constructor(environment: Environment) {
    this.#table = environment.table('lists');
    for (const { key, value } of tableEntries(this.#table)) {
      const list = decodeList(key.readUInt32BE(0), value);
      if (list) this.#enter(list);
    }
  }

  list(): Iterable<SharedList> {
    return this.#byNumber.values();
  }

  get(number: number): SharedList | undefined {
    return this.#byNumber.get(number);
  }

  /** Those that a holding has besides its own. */
  of(holding: number): SharedList[] {
    return [...(this.#byOwner.get(holding) ?? [])].flatMap((one) => this.get(one) ?? []);
  }

  /** The numbers of all lists that a holding has, its own first. */
  numbersOf(holding: number): number[] {
    return [holding, ...(this.#byOwner.get(holding) ?? [])];
  }

  /** The holdings that have a list: of one that is not shared, the one of its number. */
  ownersOf(number: number): readonly number[] {
    return this.get(number)?.owners ?? [number];
  }

  /** Part of a commit. */
  change(changes: Changes, { before, after }: ListStep): void {
    if (after) {
      changes.put(this.#table, { key: encodeNumber(after.number), value: encodeList(after) });
    } else if (before) {
      changes.remove(this.#table, encodeNumber(before.number));
    }
  }

  /** The commit is done. */
  changed({ before, after }: ListStep): void {
    if (before) this.#leave(before);
    if (after) this.#enter(after);
  }

  #enter(list: SharedList): void {
    this.#byNumber.set(list.number, list);
    for (const owner of list.owners) {
      const lists = this.#byOwner.get(owner) ?? new Set<number>(); // BOUNDED by the lists
      this.#byOwner.set(owner, lists.add(list.number));
    }
  }

  #leave({ number, owners }: SharedList): void {
    this.#byNumber.delete(number);
    for (const owner of owners) {
      const lists = this.#byOwner.get(owner);
      lists?.delete(number);
      if (lists?.size === 0) this.#byOwner.delete(owner);
    }
  }
}

function encodeList({ cost, owners }: SharedList): Buffer {
  const value = Buffer.alloc(costBytes + owners.length * ownerBytes);
  value.writeDoubleBE(cost, 0);
  for (const [i, owner] of owners.entries()) value.writeUInt32BE(owner, costBytes + i * ownerBytes);
  return value;
}

/** Undefined for what this version cannot read. */
function decodeList(number: number, bytes: Uint8Array): SharedList | undefined {
  const value = asBuffer(bytes);
  const count = (value.length - costBytes) / ownerBytes;
  if (!Number.isInteger(count) || count < 1 || count > ownersMax) return undefined;
  const owners = Array.from({ length: count }, (_, i) =>
    value.readUInt32BE(costBytes + i * ownerBytes),
  );
  return { number, cost: value.readDoubleBE(0), owners };
}
