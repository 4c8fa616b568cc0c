/**
 * Keeps the few nearest to a target of the many contacts that it is offered, without sorting them
 * all: a node does this for every request that it answers.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { compareDistance, distanceNumber } from '../distance.ts';

export class Nearest<T extends { readonly contact: Contact }> {
  readonly #target: Bytes;
  readonly #count: number;
  readonly #accept: (item: T) => boolean;
  /** Nearest first. BOUNDED by count */
  readonly #contacts: Contact[] = [];
  /** Their `distanceNumber`s. BOUNDED by count */
  readonly #distances: number[] = [];

  /** `accept` is only asked about those that would get a place. */
  constructor(target: Bytes, count: number, accept: (item: T) => boolean) {
    this.#target = target;
    this.#count = count;
    this.#accept = accept;
  }

  get isFull(): boolean {
    return this.#contacts.length >= this.#count;
  }

  /** Nearest first. */
  get contacts(): readonly Contact[] {
    return this.#contacts;
  }

  /** Takes it if it is among the nearest so far. */
  offer(item: T): void {
    const { contact } = item;
    const distance = distanceNumber(this.#target, contact.id);
    if (this.isFull && !this.#isNearer(contact, distance, this.#count - 1)) return;
    if (!this.#accept(item)) return;
    const contacts = this.#contacts;
    const distances = this.#distances;
    let at = Math.min(contacts.length, this.#count - 1);
    for (; at > 0 && this.#isNearer(contact, distance, at - 1); at--) {
      contacts[at] = contacts[at - 1] ?? contact;
      distances[at] = distances[at - 1] ?? distance;
    }
    contacts[at] = contact;
    distances[at] = distance;
  }

  #isNearer({ id }: Contact, distance: number, at: number): boolean {
    const other = this.#distances[at] ?? 0;
    if (distance !== other) return distance < other;
    const there = this.#contacts[at];
    return there !== undefined && compareDistance(this.#target, id, there.id) < 0;
  }
}
