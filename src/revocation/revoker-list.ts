/**
 * One revoker's list as this node goes by it: what is in force, in a table for quick answers, and
 * what is needed to tell whether a newer record continues it. It changes in memory and on the disk
 * together; where records come from, and whether they are signed, is not known here.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts';
import type { SignedRecord } from '../record/envelope.ts';
import {
  parseRevocations,
  type Revocation,
  revocationBytes,
  type RevocationsBody,
  revocationsMax,
} from '../record/revocations.ts';
import { compareLists, countOf, isListOf, tailOf } from './entries.ts';
import { EntryTable } from './entry-table.ts';
import { leftOf } from './left-entries.ts';
import type { ListStore, StoredList } from './list-store.ts';

const empty = new Uint8Array();
const nothing: StoredList = {
  record: undefined,
  entries: empty,
  leftCount: 0,
  equivocated: false,
  diverged: false,
};

export class RevokerList {
  readonly revoker: Bytes;
  readonly #store: ListStore;
  readonly #seed: Bytes;
  readonly #leftMax: number;
  #table: EntryTable;
  #record: SignedRecord | undefined;
  #body: RevocationsBody | undefined;
  #equivocated = false;
  #diverged = false;
  #leftCount = 0;
  /** Of the list alone. */
  #count = 0;
  #tail: Bytes = empty;

  /** `leftMax`: entries that stay of lists that were contradicted. */
  constructor(revoker: Bytes, store: ListStore, seed: Bytes, leftMax: number = revocationsMax) {
    this.revoker = revoker;
    this.#store = store;
    this.#seed = seed;
    this.#leftMax = leftMax;
    this.#table = new EntryTable(seed);
  }

  /** The newest that was taken. */
  get record(): SignedRecord | undefined {
    return this.#record;
  }

  get body(): RevocationsBody | undefined {
    return this.#body;
  }

  /** Entries of the list that are known, in order from the first one. */
  get count(): number {
    return this.#count;
  }

  /** Targets that may not be had now. */
  get inForce(): number {
    return this.#table.inForce;
  }

  /** Targets that were ever revoked: what the memory is for. */
  get size(): number {
    return this.#table.size;
  }

  get equivocated(): boolean {
    return this.#equivocated;
  }

  /** Whether entries of the newest record's list are missing here. */
  get isLacking(): boolean {
    return this.#body !== undefined && (this.#diverged || this.#count < this.#body.count);
  }

  isRevoked(type: Revocation['type'], target: Bytes): boolean {
    return this.#table.isRevoked(type, target);
  }

  /** What the disk has of it. */
  async load(): Promise<void> {
    const { record, entries, leftCount, equivocated, diverged } = this.#stored();
    this.#record = record;
    this.#body = record && parseRevocations(record);
    this.#equivocated = equivocated;
    this.#diverged = diverged;
    this.#leftCount = leftCount;
    await this.#table.enforce(entries);
    const own = entries.subarray(leftCount * revocationBytes);
    this.#count = countOf(own);
    this.#tail = tailOf(own);
    if (this.isLacking && this.#body) await this.#table.enforce(this.#body.recent);
  }

  /** All entries of the list that are known, in order. */
  entries(): Bytes {
    return this.#stored().entries.subarray(this.#leftCount * revocationBytes);
  }

  /**
   * A record that was verified and is newer than the last one. What it shows is in force when this
   * resolves, and survives a crash.
   */
  async take(record: SignedRecord, body: RevocationsBody): Promise<void> {
    const known = { count: this.#count, tail: this.#tail };
    const compared = this.#diverged ? undefined : compareLists(known, body);
    if (compared?.kind === 'continues') {
      return this.#extend(compared.entries, { record, body });
    }
    if (body.list === undefined) return this.#replace(body.recent, { record, body });
    const contradicts = compared?.kind === 'contradicts';
    this.#equivocated ||= contradicts;
    this.#diverged ||= contradicts;
    await this.#note({ record, body });
    await this.#table.enforce(body.recent); // the rest has to be fetched
  }

  /** `entries` are all of the newest record's list; false, and nothing changes, when they are not. */
  async complete(entries: Bytes): Promise<boolean> {
    const { record } = this;
    const body = this.#body;
    if (!record || !body || !isListOf(entries, body)) return false;
    const mine = this.entries();
    if (startsWith(entries, mine)) {
      this.#diverged = false;
      await this.#extend(entries.subarray(mine.length), { record, body });
    } else await this.#replace(entries, { record, body });
    return true;
  }

  /** The newest record's list is not what is known of it, though its end is: it must be fetched. */
  async doubt(record: SignedRecord): Promise<void> {
    const body = this.#body;
    if (!body?.list || this.#record !== record) return;
    this.#diverged = true;
    await this.#note({ record, body });
  }

  /** This node's own list grows; its record comes later. */
  async append(entries: Bytes): Promise<void> {
    await this.#extend(entries, { record: this.#record, body: this.#body });
  }

  /** Revocations of contradicted lists that this one does not speak of, the newest so many. */
  async left(countMax: number): Promise<Bytes> {
    const { entries } = this.#stored();
    const own = this.#leftCount * revocationBytes;
    const options = { countMax, seed: this.#seed };
    return leftOf(entries.subarray(0, own), entries.subarray(own), options);
  }

  /** This node's own list was signed as it is. */
  async sign(record: SignedRecord, body: RevocationsBody): Promise<void> {
    await this.#note({ record, body });
  }

  #stored(): StoredList {
    return this.#store.load(this.revoker) ?? nothing;
  }

  async #extend(
    more: Bytes,
    { record, body }: { record: SignedRecord | undefined; body: RevocationsBody | undefined },
  ): Promise<void> {
    const entries = concatBytes(this.#stored().entries, more);
    await this.#save({ record, entries });
    this.#record = record;
    this.#body = body;
    this.#count += countOf(more);
    this.#tail = tailOf(concatBytes(this.#tail, more));
    await this.#table.enforce(more);
  }

  /** The list is another one than was known: what both of them revoke is revoked. */
  async #replace(
    next: Bytes,
    { record, body }: { record: SignedRecord; body: RevocationsBody },
  ): Promise<void> {
    const options = { countMax: this.#leftMax, seed: this.#seed };
    const left = await leftOf(this.#stored().entries, next, options);
    const leftCount = countOf(left);
    const equivocated = this.#equivocated || this.#count > 0;
    const entries = concatBytes(left, next);
    const list = { record, entries, leftCount, equivocated, diverged: false };
    await this.#store.save(this.revoker, list, true);
    // Not the same table: who contradicts himself time and again would fill the memory.
    const table = new EntryTable(this.#seed);
    await table.enforce(entries);
    this.#table = table;
    this.#equivocated = equivocated;
    this.#diverged = false;
    this.#leftCount = leftCount;
    this.#record = record;
    this.#body = body;
    this.#count = countOf(next);
    this.#tail = tailOf(next);
  }

  async #note({ record, body }: { record: SignedRecord; body: RevocationsBody }): Promise<void> {
    await this.#save({ record, entries: this.#stored().entries });
    this.#record = record;
    this.#body = body;
  }

  async #save(list: { record: SignedRecord | undefined; entries: Bytes }): Promise<void> {
    const flags = { equivocated: this.#equivocated, diverged: this.#diverged };
    const leftCount = this.#leftCount;
    await this.#store.save(this.revoker, { ...list, ...flags, leftCount }, false);
  }
}

function startsWith(octets: Bytes, start: Bytes): boolean {
  return (
    octets.length >= start.length && Buffer.compare(octets.subarray(0, start.length), start) === 0
  );
}
