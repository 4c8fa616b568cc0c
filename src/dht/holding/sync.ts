/**
 * Fetches what this node should hold and does not: from its neighbours, when it has joined, and
 * every hour after that. They list, it chooses; each record is judged like any other. Everything is
 * paced and counted, as neighbours may promise what they like.
 */
import { sleep } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import { LruMap } from '../../base/limits.ts';
import type { Contact } from '../../identity/contact.ts';
import { isStored, storeStatuses } from '../../record/kinds.ts';
import type { Caller } from '../table/caller.ts';
import type { Copies } from './copies.ts';
import type { SyncEntry } from '../ports.ts';
import { pulledFrom } from '../rules/source.ts';
import type { Storage } from './storage.ts';

export interface SyncOptions {
  /** Neighbours that are asked in a round … */
  readonly syncNeighbours: number;
  /** … unless so many in a row list nothing that is lacking here: the others hold the same. */
  readonly syncVainMax: number;
  /** Between two requests. */
  readonly syncPauseMs: number;
  /** Pages that are read in a round, of all neighbours together … */
  readonly syncPagesMax: number;
  /** … and records that are asked for. */
  readonly syncRecordsMax: number;
}

export const syncDefaults: SyncOptions = {
  syncNeighbours: 20,
  // What three of twenty hold is listed by one of eight of them in four rounds of five.
  syncVainMax: 8,
  syncPauseMs: 50,
  syncPagesMax: 400,
  syncRecordsMax: 2000,
};

export interface SyncDeps {
  readonly world: World;
  readonly storage: Pick<Storage, 'list' | 'holds' | 'accept'>;
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
/** Records that we were shown and refused are not fetched again each hour … */
const refusedMax = 10_000;
/** … for so long: why we refused them may have passed. */
const refusedMs = 24 * 3_600_000;
/** Neighbours whose place in their list is remembered. */
const leftOffMax = 64;

/** How much may still be asked for. */
interface Share {
  readonly pages: number;
  readonly records: number;
}

interface Page {
  readonly entries: readonly SyncEntry[];
  /** Where the next one begins; undefined after the last. */
  readonly next: Bytes | undefined;
}

interface Visit extends SyncRound {
  /** Whether it answered, and listed nothing that is lacking. */
  readonly vain: boolean;
  /** Records that were asked for. */
  readonly asked: number;
}

export class Sync {
  readonly #deps: SyncDeps;
  readonly #options: SyncOptions;
  /** When each was refused (monotonic). BOUNDED by refusedMax */
  #refusedMs = new LruMap<string, number>(refusedMax);
  /** Where to go on in a list that a round did not finish. BOUNDED by leftOffMax */
  readonly #leftOff = new LruMap<string, Bytes>(leftOffMax);

  constructor(deps: SyncDeps, options: SyncOptions = syncDefaults) {
    this.#deps = deps;
    this.#options = options;
  }

  /** What was refused for being denied may be right now. */
  reconsider(): void {
    this.#refusedMs = new LruMap(refusedMax);
  }

  /**
   * Asks neighbours, each once, for as long as that shows something. Rejects only when `signal`
   * aborts or the store cannot write.
   */
  async round(signal: AbortSignal): Promise<SyncRound> {
    const { syncNeighbours, syncVainMax, syncPagesMax, syncRecordsMax } = this.#options;
    const counts = { pages: 0, listed: 0, fetched: 0, taken: 0 };
    let left: Share = { pages: syncPagesMax, records: syncRecordsMax };
    let inVain = 0;
    for (const neighbour of this.#inAnyOrder(this.#deps.neighbours(syncNeighbours))) {
      const share = { pages: Math.ceil(left.pages / 2), records: Math.ceil(left.records / 2) };
      const { asked, vain, ...visit } = await this.#visit(neighbour, { share, signal });
      left = { pages: left.pages - visit.pages, records: left.records - asked };
      for (const what of ['pages', 'listed', 'fetched', 'taken'] as const) {
        counts[what] += visit[what];
      }
      // Who is silent says nothing of what there is.
      if (asked > 0) inVain = 0;
      else if (vain && ++inVain >= syncVainMax) break;
    }
    return counts;
  }

  /**
   * Reads a neighbour's list from where it was left, as far as its share goes: half of what the
   * round has left, so that one that promises without end does not use up what is for all.
   */
  async #visit(
    from: Contact,
    { share, signal }: { share: Share; signal: AbortSignal },
  ): Promise<Visit> {
    const counts = { pages: 0, listed: 0, asked: 0, fetched: 0, taken: 0, vain: false };
    const id = toHex(from.id);
    let after: Bytes | undefined = this.#leftOff.get(id) ?? new Uint8Array(entryBytes);
    this.#leftOff.delete(id);
    while (after && counts.pages < share.pages && counts.asked < share.records) {
      counts.pages++;
      const page = await this.#page(from, { after, signal });
      if (!page) break;
      counts.listed += page.entries.length;
      const missing = this.#missing(page.entries, from);
      const wanted = missing.slice(0, share.records - counts.asked);
      counts.asked += wanted.length;
      const got = await this.#fetch(wanted, { from, signal });
      counts.fetched += got.fetched;
      counts.taken += got.taken;
      // Who lists and does not answer would have us wait for every entry of every page.
      if (got.silent) return counts;
      if (wanted.length === missing.length) after = page.next;
      counts.vain = after === undefined && counts.asked === 0;
    }
    if (after) this.#leftOff.set(id, after);
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

  /** Undefined when there is no answer. */
  async #page(
    from: Contact,
    { after, signal }: { after: Bytes; signal: AbortSignal },
  ): Promise<Page | undefined> {
    await this.#pause(signal);
    const request = { method: 'sync', after } as const;
    const answered = await this.#deps.caller.call(from, request, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (!answered) return undefined;
    const { entries, more } = answered.reply;
    const last = entries.at(-1);
    const next = new Uint8Array(entryBytes);
    if (!last || !more) return { entries, next: undefined };
    next.set(last.key);
    next.set(last.hash, last.key.length);
    // A list that does not go forward never ends.
    return { entries, next: Buffer.compare(next, after) > 0 ? next : undefined };
  }

  #missing(entries: readonly SyncEntry[], holder: Contact): readonly SyncEntry[] {
    return entries.filter(({ key, hash }) => {
      if (hash.every((octet) => octet === 0)) return false; // it marks the way
      const held = this.#deps.storage.holds(key, hash);
      if (held) this.#deps.copies.saw(hash, holder.id);
      return !held && !this.#wasRefused(hash);
    });
  }

  /** `silent`: it did not answer, and was asked for no more. */
  async #fetch(
    wanted: readonly SyncEntry[],
    { from, signal }: { from: Contact; signal: AbortSignal },
  ): Promise<{ readonly fetched: number; readonly taken: number; readonly silent: boolean }> {
    const counts = { fetched: 0, taken: 0 };
    for (const { key, ids } of requestsFor(wanted)) {
      await this.#pause(signal);
      const request = { method: 'get', key, mode: 'by-id', minSeq: 0n, cursor: 0, ids } as const;
      const answered = await this.#deps.caller.call(from, request, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (!answered) return { ...counts, silent: true };
      for (const bytes of answered.reply.records.slice(0, ids.length)) {
        const hash = sha256(bytes);
        if (!ids.some((id) => beginsWith(hash, id))) continue;
        counts.fetched++;
        if (await this.#take(bytes, { hash, from })) counts.taken++;
      }
    }
    return { ...counts, silent: false };
  }

  /**
   * Only what was shown can be refused: who lists a record and keeps it back must not make us turn
   * it down when others offer it.
   */
  async #take(bytes: Bytes, { hash, from }: { hash: Bytes; from: Contact }): Promise<boolean> {
    const { storage, world } = this.#deps;
    const { status } = await storage.accept(bytes, { source: pulledFrom(from.endpoint.ip) });
    const isPassing = status === storeStatuses.RATE;
    if (!isStored(status) && !isPassing) {
      this.#refusedMs.set(toHex(hash.subarray(0, idBytes)), world.clock.monotonicMs());
    }
    return isStored(status);
  }

  #wasRefused(id: Bytes): boolean {
    const atMs = this.#refusedMs.get(toHex(id));
    return atMs !== undefined && this.#deps.world.clock.monotonicMs() - atMs < refusedMs;
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
