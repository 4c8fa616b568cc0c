/**
 * Contacts that stopped answering and left the routing table. A part of the network that cannot be
 * reached for a while is still there: those in it are asked again now and then, so that both parts
 * find together when they can. It sends nothing and sets no timers.
 */
import { toHex } from '../../base/bytes.ts';
import type { Random } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import { networksOf, type PrefixCaps, PrefixCounts } from './caps.ts';

/** Contacts that are remembered … */
const lostMax = 64;
/** … for so long after their last answer. */
const keptMs = 24 * 3_600_000;
/** Whoever runs many nodes in few networks and ends them all at once gets few of the places. */
const lostCaps: PrefixCaps = { narrow: 2, wide: 8 };

/** A part of the network that went at once is found out by a sweep, which is done in so long. */
const togetherMs = 3 * 60_000;
/**
 * So large a part of all that were known, and at least two, is a crowd; so many are one in any
 * table. Of two parts that lost sight of each other at least one misses such a part.
 */
const crowdShare = 0.2;
const crowdMin = 2;
const crowdMax = 16;

export interface LostContact {
  readonly contact: Contact;
  /** Monotonic. */
  readonly sinceMs: number;
}

interface Lost extends LostContact {
  triedMs: number;
}

export class LostContacts {
  readonly #random: Pick<Random, 'fraction'>;
  readonly #lost = new Map<string, Lost>(); // BOUNDED by lostMax

  constructor(random: Pick<Random, 'fraction'>) {
    this.#random = random;
  }

  get size(): number {
    return this.#lost.size;
  }

  contacts(): readonly Contact[] {
    return [...this.#lost.values()].map(({ contact }) => contact);
  }

  /**
   * When all places are taken, one drawn by lot becomes free: those that go one by one every day
   * must not push out the half of a network that went at once.
   */
  add(contact: Contact, nowMs: number): void {
    const id = toHex(contact.id);
    this.#lost.delete(id);
    if (!this.#hasRoom(contact)) return;
    if (this.#lost.size >= lostMax) {
      const at = Math.floor(this.#random.fraction() * this.#lost.size);
      const victim = [...this.#lost.keys()][at];
      if (victim !== undefined) this.#lost.delete(victim);
    }
    this.#lost.set(id, { contact, sinceMs: nowMs, triedMs: nowMs });
  }

  /** It answers, or has said that it leaves. */
  forget({ id }: Pick<Contact, 'id'>): void {
    if (this.#lost.size > 0) this.#lost.delete(toHex(id));
  }

  /** Whose turn it is to be asked: who was not for longest. It counts as asked by that. */
  next(nowMs: number): LostContact | undefined {
    let first: Lost | undefined;
    for (const [id, lost] of this.#lost) {
      if (nowMs - lost.sinceMs >= keptMs) this.#lost.delete(id);
      else if (!first || lost.triedMs < first.triedMs) first = lost;
    }
    if (first) first.triedMs = nowMs;
    return first;
  }

  /**
   * Those that were lost at about the time of this one, itself among them, if they are many beside
   * the `known` ones that are left: what took them away may be over. Nodes that go and come one by
   * one, as most do, are nobody's crowd: they look for the others themselves.
   */
  crowdOf({ sinceMs }: LostContact, known: number): readonly Contact[] {
    const crowd = [...this.#lost.values()].filter(
      (other) => Math.abs(other.sinceMs - sinceMs) <= togetherMs,
    );
    const share = Math.ceil((known + crowd.length) * crowdShare);
    const enough = Math.min(crowdMax, Math.max(crowdMin, share));
    return crowd.length < enough ? [] : crowd.map(({ contact }) => contact);
  }

  /** Whether any of them was lost together with many others, beside the `known` ones. */
  hasCrowd(known: number): boolean {
    return [...this.#lost.values()].some((lost) => this.crowdOf(lost, known).length > 0);
  }

  #hasRoom({ endpoint }: Contact): boolean {
    const counts = new PrefixCounts(lostCaps);
    for (const { contact } of this.#lost.values()) counts.add(networksOf(contact.endpoint.ip));
    return counts.hasRoom(networksOf(endpoint.ip));
  }
}
