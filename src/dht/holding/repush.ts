/**
 * Stores again what nobody refreshed for long, with those who should hold it; unless they have it
 * anyway. The first holder to do so spares the others the work.
 */
import { sleep } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';
import type { Contact } from '../../identity/contact.ts';
import { clockToleranceSeconds } from '../../record/acceptance.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Caller } from '../table/caller.ts';
import type { Copies } from './copies.ts';
import { dropAtMs, repushAtMs } from './keeping.ts';
import type { StoredRecord } from '../ports.ts';
import type { Storage } from './storage.ts';

export interface RepushDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly world: World;
  readonly storage: Pick<Storage, 'list' | 'refresh'>;
  readonly caller: Pick<Caller, 'call'>;
  readonly copies: Copies;
  /** The contacts that we know nearest to a key, nearest first. */
  readonly closest: (key: Bytes, count: number) => readonly Contact[];
  /** Finds out whether a name is still its holder's; it may be another's here afterwards. */
  readonly lookAgain: (record: SignedRecord, signal: AbortSignal) => Promise<void>;
  /** Stores a record with those who should hold it. */
  readonly store: (record: SignedRecord, signal: AbortSignal) => Promise<void>;
}

/** Records taken up in one round, and the pause between two: no faster than storers allow. */
const repushMax = 500;
const repushPauseMs = 1100;
/** More copies than this, seen since it was refreshed, suggest that it is held well … */
const copiesMin = 8;
/** … and so many nearest, each holding it, prove it (BEP 44 has both numbers). */
const nearestCount = 8;
const idBytes = 16;

export class Repush {
  readonly #deps: RepushDeps;
  /**
   * When each record was last stored again (monotonic): we may no longer be one of its holders,
   * and then our own copy is not refreshed by that.
   */
  readonly #pushedMs = new LruMap<string, number>(10_000);
  #due: SignedRecord[] = []; // BOUNDED by repushMax

  constructor(deps: RepushDeps) {
    this.#deps = deps;
  }

  /** Takes up a held record if it is due; whether it was. */
  consider(stored: StoredRecord): boolean {
    if (this.#due.length >= repushMax || !this.#isDue(stored)) return false;
    this.#due.push(stored.record);
    return true;
  }

  /** Stores again what was taken up. */
  async work(signal: AbortSignal): Promise<void> {
    const { world, storage, copies, lookAgain } = this.#deps;
    const due = this.#due;
    this.#due = [];
    for (const record of due) {
      this.#pushedMs.set(toHex(record.hash), world.clock.monotonicMs());
      // Before it is stored again: that spares other holders the work, and so the second look.
      await lookAgain(record, signal);
      const held = storage
        .list(record.key)
        .some(({ record: { hash } }) => equalBytes(hash, record.hash));
      if (held) await this.#push(record, signal);
      copies.forget(record.hash);
      await sleep(world.timers, repushPauseMs, signal);
    }
  }

  async #push(record: SignedRecord, signal: AbortSignal): Promise<void> {
    if (await this.#isHeldWell(record, signal)) await this.#deps.storage.refresh(record);
    else await this.#deps.store(record, signal);
  }

  #isDue(stored: StoredRecord): boolean {
    const { self, world } = this.#deps;
    const nowMs = world.clock.unixMs();
    const atMs = repushAtMs(stored, self);
    if (atMs === undefined) return false;
    // A refresh in the future was another clock's, and says nothing.
    const isFromLater = stored.refreshedMs > nowMs + clockToleranceSeconds * 1000;
    if ((nowMs < atMs && !isFromLater) || stored.record.expires * 1000 <= nowMs) return false;
    // What goes at this moment would take the time of what stays.
    if (dropAtMs(stored) <= nowMs) return false;
    const pushedMs = this.#pushedMs.get(toHex(stored.record.hash));
    const intervalMs = atMs - stored.refreshedMs;
    return pushedMs === undefined || world.clock.monotonicMs() - pushedMs >= intervalMs;
  }

  async #isHeldWell(record: SignedRecord, signal: AbortSignal): Promise<boolean> {
    const { key, hash } = record;
    const { copies, closest } = this.#deps;
    if (copies.countOf(hash) <= copiesMin) return false;
    const unseen = closest(key, nearestCount).filter(({ id }) => !copies.has(hash, id));
    const answers = await Promise.all(
      unseen.map((contact) => this.#holds(contact, record, signal)),
    );
    return answers.every(Boolean);
  }

  /** Of many records it may list ours only on a later page: then it counts as not holding it. */
  async #holds(
    contact: Contact,
    { key, hash, seq: minSeq }: SignedRecord,
    signal: AbortSignal,
  ): Promise<boolean> {
    const request = { method: 'get', key, mode: 'digest', minSeq, cursor: 0, ids: [] } as const;
    const answered = await this.#deps.caller.call(contact, request, signal).catch(() => undefined);
    const digests = answered?.reply.digests ?? [];
    return digests.some((digest) => equalBytes(digest.hash, hash.subarray(0, idBytes)));
  }
}
