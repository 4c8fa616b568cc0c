/**
 * Fetches what this node should hold and does not: from its neighbours, when it has joined, and
 * every hour after that. They list, it chooses; each record is judged like any other. Everything is
 * paced and counted, as neighbours may promise what they like.
 */
import { sleep } from '../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { Contact } from '../identity/contact.ts';
import { isStored } from '../record/kinds.ts';
import type { Caller } from './caller.ts';
import type { Copies } from './copies.ts';
import type { SyncEntry } from './ports.ts';
import { pulledFrom } from './rules/source.ts';
import type { Storage } from './storage.ts';

export interface SyncOptions {
  /** Neighbours that are asked in a round. */
  readonly syncNeighbours: number;
  /** Between two requests. */
  readonly syncPauseMs: number;
  /** Pages that are read in a round, of all neighbours together … */
  readonly syncPagesMax: number;
  /** … and records that are fetched. */
  readonly syncRecordsMax: number;
}

export const syncDefaults: SyncOptions = {
  syncNeighbours: 20,
  syncPauseMs: 50,
  syncPagesMax: 400,
  syncRecordsMax: 2000,
};

export interface SyncDeps {
  readonly world: World;
  readonly storage: Pick<Storage, 'list' | 'accept'>;
  readonly caller: Pick<Caller, 'call'>;
  /** Nearest to us first. */
  readonly neighbours: (count: number) => readonly Contact[];
  /** Told who holds what we hold as well. */
  readonly copies: Pick<Copies, 'saw'>;
}

export interface SyncRound {
  readonly pages: number;
  /** Entries that were listed. */
  readonly listed: number;
  /** Records that came, and of those how many were taken. */
  readonly fetched: number;
  readonly taken: number;
}

/** Records of one key that fit a request. */
const idsMax = 2;
const idBytes = 16;
const entryBytes = 48;
/** Records that we were shown and refused are not fetched again each hour. */
const refusedMax = 10_000;

export class Sync {
  readonly #deps: SyncDeps;
  readonly #options: SyncOptions;
  readonly #refused = new LruMap<string, true>(refusedMax);

  constructor(deps: SyncDeps, options: SyncOptions = syncDefaults) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Asks each neighbour once. Rejects only when `signal` aborts or the store cannot write. */
  async round(signal: AbortSignal): Promise<SyncRound> {
    const { syncNeighbours, syncPagesMax, syncRecordsMax } = this.#options;
    const counts = { pages: 0, listed: 0, fetched: 0, taken: 0 };
    for (const neighbour of this.#inAnyOrder(this.#deps.neighbours(syncNeighbours))) {
      let after: Bytes | undefined = new Uint8Array(entryBytes);
      while (after && counts.pages < syncPagesMax) {
        counts.pages++;
        const page = await this.#page(neighbour, { after, signal });
        counts.listed += page.entries.length;
        const missing = this.#missing(page.entries, neighbour);
        const wanted = missing.slice(0, syncRecordsMax - counts.fetched);
        const got = await this.#fetch(wanted, { from: neighbour, signal });
        counts.fetched += got.fetched;
        counts.taken += got.taken;
        after = page.next;
      }
    }
    return counts;
  }

  /** So that over the rounds each gets its turn, should one round not have room for all. */
  #inAnyOrder(contacts: readonly Contact[]): readonly Contact[] {
    const { random } = this.#deps.world;
    return contacts
      .map((contact) => ({ contact, lot: random.fraction() }))
      .toSorted((a, b) => a.lot - b.lot)
      .map(({ contact }) => contact);
  }

  async #page(
    from: Contact,
    { after, signal }: { after: Bytes; signal: AbortSignal },
  ): Promise<{ readonly entries: readonly SyncEntry[]; readonly next: Bytes | undefined }> {
    await this.#pause(signal);
    const request = { method: 'sync', after } as const;
    const answered = await this.#deps.caller.call(from, request, signal).catch(() => undefined);
    signal.throwIfAborted();
    const entries = answered?.reply.entries ?? [];
    const last = entries.at(-1);
    const next = new Uint8Array(entryBytes);
    if (!last || answered?.reply.more !== true) return { entries, next: undefined };
    next.set(last.key);
    next.set(last.hash, last.key.length);
    // A list that does not go forward never ends.
    return { entries, next: Buffer.compare(next, after) > 0 ? next : undefined };
  }

  #missing(entries: readonly SyncEntry[], holder: Contact): readonly SyncEntry[] {
    return entries.filter(({ key, hash }) => {
      const held = this.#deps.storage.list(key).some(({ record }) => beginsWith(record.hash, hash));
      if (held) this.#deps.copies.saw(hash, holder.id);
      return !held && !this.#refused.has(toHex(hash));
    });
  }

  async #fetch(
    wanted: readonly SyncEntry[],
    { from, signal }: { from: Contact; signal: AbortSignal },
  ): Promise<{ readonly fetched: number; readonly taken: number }> {
    const counts = { fetched: 0, taken: 0 };
    for (const { key, ids } of requestsFor(wanted)) {
      await this.#pause(signal);
      const request = { method: 'get', key, mode: 'by-id', minSeq: 0n, cursor: 0, ids } as const;
      const answered = await this.#deps.caller.call(from, request, signal).catch(() => undefined);
      signal.throwIfAborted();
      for (const bytes of answered?.reply.records.slice(0, ids.length) ?? []) {
        counts.fetched++;
        const source = pulledFrom(from.endpoint.ip);
        const { status } = await this.#deps.storage.accept(bytes, { source });
        if (isStored(status)) counts.taken++;
      }
      this.#rememberRefused(key, ids);
    }
    return counts;
  }

  #rememberRefused(key: Bytes, ids: readonly Bytes[]): void {
    const held = this.#deps.storage.list(key);
    for (const id of ids) {
      const isHeld = held.some(({ record }) => beginsWith(record.hash, id));
      if (!isHeld) this.#refused.set(toHex(id), true);
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#deps.world.timers, this.#options.syncPauseMs, signal);
  }
}

function requestsFor(
  wanted: readonly SyncEntry[],
): readonly { readonly key: Bytes; readonly ids: readonly Bytes[] }[] {
  const requests: { key: Bytes; ids: Bytes[] }[] = []; // BOUNDED by the entries of a page
  for (const { key, hash } of wanted) {
    const last = requests.at(-1);
    if (last && last.ids.length < idsMax && equalBytes(last.key, key)) last.ids.push(hash);
    else requests.push({ key, ids: [hash] });
  }
  return requests;
}

/** Whether it starts with an ID of 16 bytes. */
function beginsWith(hash: Bytes, id: Bytes): boolean {
  for (let i = 0; i < idBytes; i++) if (hash[i] !== id[i]) return false;
  return true;
}
