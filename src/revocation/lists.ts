/**
 * The lists of all revokers that this node goes by: those whom its operator trusts, and its own. It
 * answers what they have revoked, from memory. How lists come here is not known.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import {
  hashOfContent,
  hashOfName,
  type Revocation,
  revocationTypes,
} from '../record/revocations.ts';
import { seedBytes } from '../trust/digest-table.ts';
import { Listeners } from '../trust/listeners.ts';
import type { RevokedSource, StopListening, TrustedKeys } from '../trust/ports.ts';
import { ListStore } from './list-store.ts';
import type { RevocationNotes } from './ports.ts';
import { RevokerList } from './revoker-list.ts';

export interface RevokerListsDeps {
  readonly trusted: TrustedKeys;
  /** This node's author key, 32 bytes: once it has a list, the node goes by it. */
  readonly own: Bytes;
  readonly notes: RevocationNotes;
  readonly random: Random;
  readonly log: Logger;
}

/** Of all lists together: about 200 MB. */
const entriesMax = 4_000_000;

export class RevokerLists implements RevokedSource, AsyncDisposable {
  readonly #deps: RevokerListsDeps;
  readonly #store: ListStore;
  readonly #lists = new Map<string, RevokerList>(); // BOUNDED by trustedKeysMax, and one's own
  readonly #listeners = new Listeners();
  readonly #onRevokers = new Listeners();
  #changing: Promise<void> = Promise.resolve();
  #stopListening: StopListening | undefined;

  constructor(deps: RevokerListsDeps) {
    this.#deps = deps;
    this.#store = new ListStore(deps.notes);
  }

  /**
   * Reads what an earlier run knew: it is in force when this resolves. Rejects when it cannot be
   * read: the node must not serve what it has promised to refuse.
   */
  async start(): Promise<void> {
    const { trusted, own } = this.#deps;
    const first = this.#change();
    this.#changing = first.catch(() => undefined);
    this.#stopListening ??= trusted.onChange(() => void this.#follow());
    await first;
    const stored = this.#store.revokers();
    const foreign = stored.filter((key) => !trusted.has(key) && toHex(key) !== toHex(own));
    for (const key of foreign) await this.#store.remove(key);
    if (stored.some((key) => toHex(key) === toHex(own))) await this.openOwn();
    for (const key of stored) this.#warnOfDamage(key);
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    await this.#changing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Trusted ones in the order of their list, then one's own. */
  all(): readonly RevokerList[] {
    const { trusted, own } = this.#deps;
    const keys = trusted.has(own) ? trusted.list() : [...trusted.list(), own];
    return keys.flatMap((key) => this.get(key) ?? []);
  }

  /** The list of who is trusted, or of this node itself. */
  get(revoker: Bytes): RevokerList | undefined {
    return this.#lists.get(toHex(revoker));
  }

  /** This node's own list, from now on in force here. */
  async openOwn(): Promise<RevokerList> {
    const { own } = this.#deps;
    return this.get(own) ?? this.#open(own);
  }

  /** Whether so many more entries may be kept in memory; what brings none is always welcome. */
  hasRoomFor(entries: number): boolean {
    if (entries <= 0) return true;
    let size = 0;
    for (const list of this.#lists.values()) size += list.size;
    return size + entries <= entriesMax;
  }

  /** After a list was changed. */
  tell(): void {
    this.#listeners.tell();
  }

  get isEmpty(): boolean {
    for (const list of this.#lists.values()) if (list.inForce > 0) return false;
    return true;
  }

  ofBlock(hash: Bytes): Bytes | undefined {
    return this.#by(revocationTypes.content, () => hashOfContent(hash));
  }

  ofName(key: Bytes): Bytes | undefined {
    return this.#by(revocationTypes.name, () => hashOfName(key));
  }

  onChange(listener: () => void): StopListening {
    return this.#listeners.add(listener);
  }

  /** Called after somebody else is trusted than before. */
  onRevokers(listener: () => void): StopListening {
    return this.#onRevokers.add(listener);
  }

  /** What was stored, and is nothing now. */
  #warnOfDamage(revoker: Bytes): void {
    const list = this.get(revoker);
    if (!list || list.record || list.count > 0) return;
    const fields = { revoker: toHex(revoker) };
    this.#deps.log.warn('a list of revocations is damaged, and fetched anew', fields);
  }

  #by(type: Revocation['type'], targetOf: () => Bytes): Bytes | undefined {
    let target: Bytes | undefined; // asked for each block: hashed only where there is a list
    for (const list of this.#lists.values()) {
      if (list.inForce === 0) continue;
      target ??= targetOf();
      if (list.isRevoked(type, target)) return list.revoker;
    }
    return undefined;
  }

  /** One change after another; what is on the disk of who is not trusted any more stays there. */
  #follow(): Promise<void> {
    this.#changing = this.#changing
      .then(() => this.#change())
      .catch((error: unknown) => {
        this.#deps.log.error('a list of revocations cannot be read', { why: reasonOf(error) });
      });
    return this.#changing;
  }

  async #change(): Promise<void> {
    const { trusted, own } = this.#deps;
    const wanted = new Set([...trusted.list(), own].map(toHex)); // BOUNDED by trustedKeysMax
    for (const hex of this.#lists.keys()) if (!wanted.has(hex)) this.#lists.delete(hex);
    for (const key of trusted.list()) if (!this.get(key)) await this.#open(key);
    this.#listeners.tell();
    this.#onRevokers.tell();
  }

  async #open(revoker: Bytes): Promise<RevokerList> {
    const list = new RevokerList(revoker, this.#store, this.#deps.random.bytes(seedBytes));
    await list.load();
    const opened = this.get(revoker) ?? list; // two may have begun at the same time
    this.#lists.set(toHex(revoker), opened);
    return opened;
  }
}
