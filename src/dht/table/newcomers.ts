/**
 * Servers that asked us something and might go into the table. Each is sent a PING first, at a slow
 * pace: what strangers send may cause little traffic, and none of it enters the table by itself.
 */
import { sleep } from '../../base/abort.ts';
import { toHex } from '../../base/bytes.ts';
import type { Timers } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import { lookupCaps, networksOf, PrefixCounts } from './caps.ts';

export interface NewcomerOptions {
  /** Newcomers that wait for their PING. */
  readonly newcomersMax: number;
  readonly newcomerIntervalMs: number;
}

export const newcomerDefaults: NewcomerOptions = { newcomersMax: 64, newcomerIntervalMs: 500 };

export interface NewcomerDeps {
  readonly timers: Timers;
  /** Whether the table has a place for it. */
  readonly wants: (contact: Contact) => boolean;
  /** Never rejects. */
  readonly ping: (contact: Contact) => Promise<void>;
  readonly signal: AbortSignal;
}

export class Newcomers {
  readonly #deps: NewcomerDeps;
  readonly #options: NewcomerOptions;
  readonly #waiting = new Map<string, Contact>(); // BOUNDED by newcomersMax
  #working: Promise<void> | undefined;

  constructor(deps: NewcomerDeps, options: NewcomerOptions = newcomerDefaults) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Puts it on the list if there is a place. Who has not proven its address may be forging those of
   * many networks, and so gets none of the last half.
   */
  offer(contact: Contact, addressProven: boolean): void {
    const { signal, wants } = this.#deps;
    const { newcomersMax } = this.#options;
    const id = toHex(contact.id);
    const places = addressProven ? newcomersMax : newcomersMax / 2;
    if (signal.aborted || this.#waiting.size >= places) return;
    if (!wants(contact) || !(this.#waiting.has(id) || this.#hasRoom(contact))) return;
    this.#waiting.set(id, contact);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** It said that it leaves. */
  withdraw({ id }: Contact): void {
    this.#waiting.delete(toHex(id));
  }

  /** Resolves when nothing is under way; after an abort, soon. */
  async settled(): Promise<void> {
    await this.#working;
  }

  #hasRoom({ endpoint }: Contact): boolean {
    const counts = new PrefixCounts(lookupCaps);
    for (const other of this.#waiting.values()) counts.add(networksOf(other.endpoint.ip));
    return counts.hasRoom(networksOf(endpoint.ip));
  }

  async #work(): Promise<void> {
    const { signal, timers, wants, ping } = this.#deps;
    for (const [key, contact] of this.#waiting) {
      try {
        await sleep(timers, this.#options.newcomerIntervalMs, signal);
      } catch {
        return; // stopped
      }
      this.#waiting.delete(key);
      if (wants(contact)) await ping(contact);
    }
  }
}
