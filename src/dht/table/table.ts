/**
 * The routing table: who is where, nearest parts of the ID space in most detail. It holds only
 * servers that answered a request of ours, keeps old live nodes before new ones, and does no I/O;
 * who confirms, misses and refreshes is the caller's business.
 *
 * Bucket i holds contacts whose ID shares exactly i leading bits with our own.
 */
import { sameEndpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { networksOf } from './caps.ts';
import { compareDistance, sameId, sharedBits } from '../distance.ts';
import { Nearest } from './nearest.ts';

export interface TableOptions {
  /** Contacts per bucket, answers per lookup, copies per record: Kademlia's k. */
  readonly k: number;
  /** Contacts kept per bucket to fill a gap. */
  readonly sparesMax: number;
  /** Requests in a row without an answer after which a contact goes. */
  readonly missesMax: number;
}

export const tableDefaults: TableOptions = { k: 20, sparesMax: 10, missesMax: 2 };

/**
 * Contacts of one IPv4 /24 or IPv6 /48, where addresses are global: in a bucket, and in all. A
 * table of a small network has a hundred places; whoever names itself only must not get most.
 */
const perNetworkInBucket = 2;
const perNetworkInTable = 5;

export interface TableEntry {
  readonly contact: Contact;
  /** Of the last answer. */
  readonly rttMs: number;
  /** Monotonic milliseconds of the last answer. */
  readonly seenMs: number;
  /** Requests since then that went unanswered. */
  readonly misses: number;
}

/** What others may do with the table. */
export interface TableView {
  readonly size: number;
  entries(): readonly TableEntry[];
  contacts(): readonly Contact[];
  /** The `count` contacts nearest to `target` that `accept` lets through, nearest first. */
  closest(
    target: Bytes,
    count: number,
    accept?: (entry: TableEntry) => boolean,
  ): readonly Contact[];
  /** Whether fewer than `count` contacts are nearer to `target` than `id` is. */
  isAmongNearest(id: Bytes, target: Bytes, count: number): boolean;
  /** Buckets with contacts, farthest first; `distanceBits` is ⌈log2⌉ of the distance. */
  buckets(): readonly { readonly distanceBits: number; readonly contacts: number }[];
}

interface Bucket {
  entries: TableEntry[]; // BOUNDED by k, oldest first
  spares: TableEntry[]; // BOUNDED by sparesMax, latest last
  /** Monotonic milliseconds of the last lookup into this bucket's part of the space. */
  touchedMs: number;
}

export class RoutingTable implements TableView {
  readonly #self: Bytes;
  readonly #options: TableOptions;
  readonly #buckets: Bucket[] = []; // BOUNDED by the bits of an ID
  /** Entries by network. BOUNDED by the entries */
  readonly #perNetwork = new Map<number | string, number>();
  #size = 0;

  constructor(self: Bytes, options: TableOptions = tableDefaults) {
    this.#self = self;
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  entries(): readonly TableEntry[] {
    return this.#buckets.flatMap(({ entries }) => entries);
  }

  contacts(): readonly Contact[] {
    return this.entries().map(({ contact }) => contact);
  }

  /** Who is to be asked next whether it is there: who missed one, else who is silent longest. */
  stalest(): TableEntry | undefined {
    let stalest: TableEntry | undefined;
    for (const { entries } of this.#buckets) {
      for (const entry of entries) if (!stalest || isStaler(entry, stalest)) stalest = entry;
    }
    return stalest;
  }

  buckets(): readonly { readonly distanceBits: number; readonly contacts: number }[] {
    const bits = this.#self.length * 8;
    return this.#buckets
      .map(({ entries }, i) => ({ distanceBits: bits - i, contacts: entries.length }))
      .filter(({ contacts }) => contacts > 0);
  }

  closest(
    target: Bytes,
    count: number,
    accept: (entry: TableEntry) => boolean = () => true,
  ): readonly Contact[] {
    const nearest = new Nearest(target, count, accept);
    const offer = ({ entries }: Bucket): void => {
      for (const entry of entries) nearest.offer(entry);
    };
    // The target's own bucket is nearest to it, all deeper ones come next and are all alike seen
    // from there, then the shallower ones in order: stop as soon as the rest must be farther.
    const home = sharedBits(this.#self, target);
    this.#buckets.slice(home, home + 1).forEach(offer);
    if (!nearest.isFull) this.#buckets.slice(home + 1).forEach(offer);
    for (let i = home - 1; i >= 0 && !nearest.isFull; i--) {
      this.#buckets.slice(i, i + 1).forEach(offer);
    }
    return nearest.contacts;
  }

  isAmongNearest(id: Bytes, target: Bytes, count: number): boolean {
    let nearer = 0;
    // From the nearest part on, as in `closest`, to be done soon.
    const home = sharedBits(this.#self, target);
    const order = [...this.#buckets.slice(home), ...this.#buckets.slice(0, home).toReversed()];
    for (const { entries } of order) {
      for (const { contact } of entries) {
        if (compareDistance(target, contact.id, id) < 0 && ++nearer >= count) return false;
      }
    }
    return true;
  }

  has(id: Bytes): boolean {
    return this.#bucketOf(id)?.entries.some(({ contact }) => sameId(contact.id, id)) ?? false;
  }

  entryOf(id: Bytes): TableEntry | undefined {
    return this.#bucketOf(id)?.entries.find(({ contact }) => sameId(contact.id, id));
  }

  /** Whether this contact would get a place (or a spare one) if it answered a request. */
  wants(contact: Contact): boolean {
    const { id } = contact;
    const index = sharedBits(this.#self, id);
    if (index === this.#self.length * 8) return false;
    const bucket = this.#buckets[index];
    if (!bucket) return this.#hasRoom(contact, []);
    const { entries, spares } = bucket;
    // Most of those that ask us belong to buckets that are full for good.
    const isOpen = entries.length < this.#options.k;
    if (!isOpen && spares.length >= this.#options.sparesMax) return false;
    if (positionOf(id, entries) >= 0) return false;
    return isOpen ? this.#hasRoom(contact, entries) : positionOf(id, spares) < 0;
  }

  /** This server answered our request at this endpoint: the one way into the table. */
  confirm(contact: Contact, { nowMs, rttMs }: { nowMs: number; rttMs: number }): void {
    const index = sharedBits(this.#self, contact.id);
    if (index === this.#self.length * 8) return;
    const bucket = this.#makeBucket(index, nowMs);
    const { entries, spares } = bucket;
    const entry: TableEntry = { contact, rttMs, seenMs: nowMs, misses: 0 };
    const at = positionOf(contact.id, entries);
    const known = entries[at];
    if (known && sameEndpoint(known.contact.endpoint, contact.endpoint)) {
      entries[at] = entry;
      return;
    }
    // One that has moved gives up its place: where it is now, its network may have enough.
    if (known) this.#takeOut(bucket, at);
    const spareAt = positionOf(contact.id, spares);
    if (spareAt >= 0) spares.splice(spareAt, 1);
    if (entries.length < this.#options.k && this.#hasRoom(contact, entries)) {
      this.#putIn(bucket, entry, known ? at : entries.length);
    } else spares.push(entry);
    if (spares.length > this.#options.sparesMax) spares.shift();
  }

  /**
   * A request to this contact went unanswered. What was asked elsewhere says nothing about it.
   * Whether it stands in the table, and whether it does no longer because of that.
   */
  miss({ id, endpoint }: Contact): 'unlisted' | 'missed' | 'gone' {
    const bucket = this.#bucketOf(id);
    if (!bucket) return 'unlisted';
    const spareAt = positionOf(id, bucket.spares);
    const spare = bucket.spares[spareAt];
    if (spare && sameEndpoint(spare.contact.endpoint, endpoint)) bucket.spares.splice(spareAt, 1);
    const at = positionOf(id, bucket.entries);
    const entry = bucket.entries[at];
    if (!entry || !sameEndpoint(entry.contact.endpoint, endpoint)) return 'unlisted';
    const misses = entry.misses + 1;
    if (misses >= this.#options.missesMax) {
      this.remove(id);
      return 'gone';
    }
    bucket.entries[at] = { ...entry, misses };
    return 'missed';
  }

  /** Takes it out at once; the spare that answered last and has room takes its place. */
  remove(id: Bytes): void {
    const bucket = this.#bucketOf(id);
    if (!bucket) return;
    const { entries, spares } = bucket;
    const spareAt = positionOf(id, spares);
    if (spareAt >= 0) spares.splice(spareAt, 1);
    const at = positionOf(id, entries);
    if (at < 0) return;
    this.#takeOut(bucket, at);
    const next = spares.findLastIndex(({ contact }) => this.#hasRoom(contact, entries));
    const [spare] = next < 0 ? [] : spares.splice(next, 1);
    if (spare) this.#putIn(bucket, spare, entries.length);
  }

  /** Takes out all, spares included. Those that had a place. */
  clear(): readonly Contact[] {
    const contacts = this.contacts();
    this.#buckets.length = 0;
    this.#perNetwork.clear();
    this.#size = 0;
    return contacts;
  }

  /** A lookup for `target` begins: its bucket needs no refresh for a while. */
  touch(target: Bytes, nowMs: number): void {
    const bucket = this.#bucketOf(target);
    if (bucket) bucket.touchedMs = nowMs;
  }

  /**
   * Buckets that a refresh may fill: all farther than our k nearest, as those nearer are known
   * whole from lookups of our own ID. Each with what decides whether to refresh it now.
   */
  refreshable(): readonly {
    readonly bits: number;
    readonly full: boolean;
    readonly touchedMs: number;
  }[] {
    const { k } = this.#options;
    const near = this.closest(this.#self, k);
    const last = near.length < k ? undefined : near.at(-1);
    const depth = last ? sharedBits(this.#self, last.id) : 0;
    return Array.from({ length: depth }, (_, bits) => {
      const bucket = this.#buckets[bits];
      const full = bucket !== undefined && bucket.entries.length >= k;
      return { bits, full, touchedMs: bucket?.touchedMs ?? 0 };
    });
  }

  /** Old contacts stay: a newcomer whose network has its places taken finds none. */
  #hasRoom({ endpoint }: Contact, entries: readonly TableEntry[]): boolean {
    const network = networksOf(endpoint.ip)?.narrow;
    if (network === undefined) return true;
    if ((this.#perNetwork.get(network) ?? 0) >= perNetworkInTable) return false;
    let near = 0;
    for (const { contact } of entries) {
      if (networksOf(contact.endpoint.ip)?.narrow === network) near++;
    }
    return near < perNetworkInBucket;
  }

  #putIn({ entries }: Bucket, entry: TableEntry, at: number): void {
    entries.splice(at, 0, entry);
    this.#count(entry, 1);
  }

  #takeOut({ entries }: Bucket, at: number): void {
    for (const entry of entries.splice(at, 1)) this.#count(entry, -1);
  }

  #count({ contact }: TableEntry, change: 1 | -1): void {
    this.#size += change;
    const network = networksOf(contact.endpoint.ip)?.narrow;
    if (network === undefined) return;
    const count = (this.#perNetwork.get(network) ?? 0) + change;
    if (count > 0) this.#perNetwork.set(network, count);
    else this.#perNetwork.delete(network);
  }

  #bucketOf(id: Bytes): Bucket | undefined {
    return this.#buckets[sharedBits(this.#self, id)];
  }

  #makeBucket(index: number, nowMs: number): Bucket {
    while (this.#buckets.length <= index) {
      this.#buckets.push({ entries: [], spares: [], touchedMs: nowMs });
    }
    const bucket = this.#buckets[index];
    if (!bucket) throw new RangeError(`no bucket ${index}`);
    return bucket;
  }
}

export function isStaler(a: TableEntry, b: TableEntry): boolean {
  return a.misses === b.misses ? a.seenMs < b.seenMs : a.misses > b.misses;
}

function positionOf(id: Bytes, entries: readonly TableEntry[]): number {
  return entries.findIndex(({ contact }) => sameId(contact.id, id));
}
