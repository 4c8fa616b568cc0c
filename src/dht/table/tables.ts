/**
 * One routing table per address family, seen as one: a node that has both families is the same node
 * in both, and its IPv6 neighbours must not be pushed out by the more numerous IPv4 ones. A contact
 * gets into a table by answering, so whoever stands in one can be reached.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { compareDistance, sameId } from '../distance.ts';
import {
  isStaler,
  RoutingTable,
  type TableEntry,
  type TableOptions,
  type TableView,
} from './table.ts';

/** A part of the ID space that a refresh may fill. */
export interface Refreshable {
  readonly bits: number;
  readonly full: boolean;
  readonly touchedMs: number;
}

export class RoutingTables implements TableView {
  readonly #v4: RoutingTable;
  readonly #v6: RoutingTable;
  #knownSinceMs = 0;

  constructor(self: Bytes, options: TableOptions) {
    this.#v4 = new RoutingTable(self, options);
    this.#v6 = new RoutingTable(self, options);
  }

  /** Different nodes. */
  get size(): number {
    return this.#v6.size === 0 ? this.#v4.size : this.contacts().length;
  }

  /** Monotonic: since when it was never empty; undefined while it is. */
  get knownSinceMs(): number | undefined {
    return this.#isEmpty ? undefined : this.#knownSinceMs;
  }

  /** A node of both families has two. */
  entries(): readonly TableEntry[] {
    return [...this.#v4.entries(), ...this.#v6.entries()];
  }

  /** One for each node. */
  contacts(): readonly Contact[] {
    const v4 = this.#v4.contacts();
    if (this.#v6.size === 0) return v4;
    return [...v4, ...this.#v6.contacts().filter(({ id }) => !this.#v4.has(id))];
  }

  /** See RoutingTable. */
  stalest(): TableEntry | undefined {
    const [v4, v6] = [this.#v4.stalest(), this.#v6.stalest()];
    if (!v4 || !v6) return v4 ?? v6;
    return isStaler(v4, v6) ? v4 : v6;
  }

  buckets(): readonly { readonly distanceBits: number; readonly contacts: number }[] {
    const all = new Map<number, number>(); // BOUNDED by the bits of an ID
    for (const { distanceBits, contacts } of [...this.#v4.buckets(), ...this.#v6.buckets()]) {
      all.set(distanceBits, (all.get(distanceBits) ?? 0) + contacts);
    }
    return [...all]
      .map(([distanceBits, contacts]) => ({ distanceBits, contacts }))
      .toSorted((a, b) => b.distanceBits - a.distanceBits);
  }

  closest(
    target: Bytes,
    count: number,
    accept?: (entry: TableEntry) => boolean,
  ): readonly Contact[] {
    const v4 = this.#v4.closest(target, count, accept);
    if (this.#v6.size === 0) return v4;
    const v6 = this.#v6.closest(target, count, accept);
    return [...v4, ...v6.filter(({ id }) => !v4.some((other) => sameId(other.id, id)))]
      .toSorted((a, b) => compareDistance(target, a.id, b.id))
      .slice(0, count);
  }

  isAmongNearest(id: Bytes, target: Bytes, count: number): boolean {
    if (this.#v6.size === 0) return this.#v4.isAmongNearest(id, target, count);
    const nearer = this.closest(target, count).filter(
      (contact) => compareDistance(target, contact.id, id) < 0,
    );
    return nearer.length < count;
  }

  /** Of the family of this contact. */
  entryOf(contact: Contact): TableEntry | undefined {
    return this.#of(contact).entryOf(contact.id);
  }

  wants(contact: Contact): boolean {
    return this.#of(contact).wants(contact);
  }

  confirm(contact: Contact, when: { readonly nowMs: number; readonly rttMs: number }): void {
    if (this.#isEmpty) this.#knownSinceMs = when.nowMs;
    this.#of(contact).confirm(contact, when);
  }

  miss(contact: Contact): ReturnType<RoutingTable['miss']> {
    return this.#of(contact).miss(contact);
  }

  remove(contact: Contact): void {
    this.#of(contact).remove(contact.id);
  }

  /** Takes out all, spares included. Those that stood in a table. */
  clear(): readonly Contact[] {
    return [...this.#v4.clear(), ...this.#v6.clear()];
  }

  touch(target: Bytes, nowMs: number): void {
    this.#v4.touch(target, nowMs);
    this.#v6.touch(target, nowMs);
  }

  /** Parts that either table could use a lookup into; see RoutingTable. */
  refreshable(): readonly Refreshable[] {
    const v4 = this.#v4.refreshable();
    if (this.#v6.size === 0) return v4;
    const v6 = this.#v6.refreshable();
    const [long, short] = v4.length >= v6.length ? [v4, v6] : [v6, v4];
    return long.map(({ bits, full, touchedMs }, i) => {
      const other = short[i];
      if (!other) return { bits, full, touchedMs };
      return {
        bits,
        full: full && other.full,
        touchedMs: Math.min(touchedMs, other.touchedMs),
      };
    });
  }

  get #isEmpty(): boolean {
    return this.#v4.size + this.#v6.size === 0;
  }

  #of({ endpoint }: Contact): RoutingTable {
    return endpoint.ip.length === 4 ? this.#v4 : this.#v6;
  }
}
