/**
 * What this node holds for others: judges what comes in, keeps it within its limits and forgets
 * what is due. It does not know who asks or how; `handler.ts` and `dht.ts` do. Whether a name is
 * really its holder's, `recheck.ts` finds out.
 */
import { sleep } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { type Clock, type Timers, unixSeconds } from '../../base/clock.ts';
import { KeyedTurns } from '../../base/keyed-turns.ts';
import {
  checkKey,
  checkKind,
  checkTime,
  checkWork,
  type RecordReader,
  recordReader,
} from '../../record/acceptance.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import {
  isStored,
  type RecordKindName,
  type StoreStatus,
  storeStatuses,
} from '../../record/kinds.ts';
import type { NetworkProfile } from '../../record/network.ts';
import { slotOf, storedKind } from '../../record/registry.ts';
import { dropAtMs } from './keeping.ts';
import { Ledger } from './ledger.ts';
import type { RecordStore, StoredRecord } from '../ports.ts';
import { Room, roomDefaults, type RoomOptions } from './room.ts';
import { mustGo, type RecordDenials } from '../rules/denial.ts';
import { refuseOlder } from '../rules/order.ts';
import { isProvisional, judgeName, mayAdopt, sinceMsOf } from '../rules/ownership.ts';
import { roomUnderKey } from '../rules/quota.ts';
import type { Held, Judged, Refusal } from '../rules/rule.ts';
import { isSender } from '../rules/source.ts';
import { SourceRate } from './source-rate.ts';

export interface StorageOptions extends RoomOptions {
  /** Records being written at a time, above which more are refused with RATE. */
  readonly writesMax: number;
  /** STOREs in a minute from one network of the Internet. */
  readonly sourceStoresPerMinute: number;
}

export const storageDefaults: StorageOptions = {
  ...roomDefaults,
  writesMax: 1024,
  sourceStoresPerMinute: 60,
};

export interface StorageDeps {
  readonly records: RecordStore;
  readonly clock: Clock;
  /** Our node ID. */
  readonly self: Bytes;
  readonly profile: NetworkProfile;
  readonly network: Bytes;
  readonly reader?: RecordReader | undefined;
  /** Whether others are so much nearer to the key that we should not hold it. */
  readonly isTooFar: (key: Bytes) => boolean;
  /** The earliest unix milliseconds that it may be; what our clock says when left out. */
  readonly earliestUnixMs?: (() => number) | undefined;
  /** What is neither taken nor handed out; left out: nothing. */
  readonly denies?: RecordDenials | undefined;
  /** Told of each name that is held until others confirm it. */
  readonly onClaim?: ((claim: Claim) => void) | undefined;
}

export interface Origin {
  /** Where it came from, see `rules/source.ts`; '' for this node itself. */
  readonly source: string;
}

export interface Claim extends Origin {
  /** The name's. */
  readonly key: Bytes;
}

export interface Outcome {
  readonly status: StoreStatus;
  readonly conflicting?: SignedRecord | undefined;
  /** With POW the bits that are asked for, with RATE the seconds to wait. */
  readonly detail?: number | undefined;
}

const { OK, OK_PROVISIONAL, OK_DUPLICATE } = storeStatuses;
const { NOT_CLOSE, POW, QUOTA_TOTAL, RATE, REVOKED } = storeStatuses;

/** When to come back to who is busy for a moment. */
const busySeconds = 2;
/** The same bytes again so soon change nothing: no need to write. */
const refreshedLatelyMs = 60_000;
/** Records counted before others get their turn, and the pause in between. */
const countSlice = 256;
const countPauseMs = 1;
/** Records that go for one that comes; more would mean that the counts are wrong. */
const victimsMax = 64;

export class Storage {
  readonly #deps: StorageDeps;
  readonly #reader: RecordReader;
  /**
   * By key, as a record is judged only when the one before is in place. What others send is BOUNDED
   * by writesMax, see accept(); what we do ourselves, by its own rounds.
   */
  readonly #turns = new KeyedTurns();
  readonly #writesMax: number;
  readonly #ledger: Ledger;
  readonly #room: Room;
  readonly #rate: SourceRate;
  #counting = false;
  #shrinking: Promise<void> | undefined;

  constructor(deps: StorageDeps, options: StorageOptions = storageDefaults) {
    this.#deps = deps;
    this.#reader = deps.reader ?? recordReader;
    this.#writesMax = options.writesMax;
    this.#ledger = new Ledger(deps.self);
    this.#room = new Room({ ...deps, ledger: this.#ledger }, options);
    this.#rate = new SourceRate(deps.clock, options.sourceStoresPerMinute);
  }

  /** Records, and their bytes. */
  get totals(): { readonly records: number; readonly bytes: number } {
    return this.#ledger.totals;
  }

  /** Records of each kind. */
  get kinds(): Readonly<Record<RecordKindName, number>> {
    return this.#ledger.kinds;
  }

  /**
   * Counts what an earlier run left; until that is done, nothing is taken. Rejects when the store
   * cannot read; then it may be called again.
   */
  async open(timers: Timers, signal?: AbortSignal): Promise<void> {
    this.#counting = true;
    this.#ledger.clear();
    let counted = 0;
    for (const key of this.#deps.records.keys(new Uint8Array())) {
      for (const stored of this.#deps.records.list(key)) {
        this.#ledger.add(stored);
        counted++;
        if (stored.provisional) this.#deps.onClaim?.({ key, source: stored.source });
      }
      if (counted < countSlice) continue;
      counted = 0;
      await sleep(timers, countPauseMs, signal);
    }
    this.#counting = false;
  }

  entries(): Iterable<Held> {
    return this.#deps.records.entries();
  }

  /** Keys that hold something, in order, from `from` on. */
  keys(from: Bytes): Iterable<Bytes> {
    return this.#deps.records.keys(from);
  }

  /** What is held under `key` and may be handed out. */
  list(key: Bytes): readonly StoredRecord[] {
    const nowMs = this.#dueMs();
    const all = this.#deps.records.list(key);
    const isGiven = (stored: StoredRecord): boolean => this.#isGiven(stored, nowMs);
    // Mostly all of them: SYNC lists thousands, and need not copy each list.
    return all.every(isGiven) ? all : all.filter(isGiven);
  }

  /** Whether it may be handed out: it is not due to be dropped, nor denied. */
  isGiven(stored: StoredRecord): boolean {
    return this.#isGiven(stored, this.#dueMs());
  }

  #isGiven(stored: StoredRecord, nowMs: number): boolean {
    return dropAtMs(stored) > nowMs && !this.#isDenied(stored.record);
  }

  #isDenied(record: SignedRecord): boolean {
    return this.#deps.denies?.(record) !== undefined;
  }

  /** Whether a record whose hash begins with `id` is here: not looked at whether it is due. */
  holds(key: Bytes, id: Bytes): boolean {
    const isIt = ({ record: { hash } }: StoredRecord): boolean =>
      id.every((octet, i) => hash[i] === octet);
    return this.#deps.records.list(key).some(isIt);
  }

  /**
   * Takes a record or says why not. Resolves when what was taken is safe; rejects when the store
   * cannot write.
   */
  async accept(bytes: Bytes, { source }: Origin): Promise<Outcome> {
    const waitSeconds = isSender(source) ? this.#rate.take(source) : 0;
    if (waitSeconds > 0) return { status: RATE, detail: waitSeconds };
    const parsed = this.#reader.parse(bytes);
    if (!parsed.ok) return { status: parsed.status };
    const { record } = parsed;
    const alone = this.#judgeAlone(record);
    if (alone.status !== OK) return alone;
    const isBusy = this.#counting || this.#turns.pending >= this.#writesMax;
    if (isBusy) return { status: RATE, detail: busySeconds };
    const outcome = await this.#turns.run(toHex(record.key), () => this.#place(record, source));
    if (!this.#room.isExceeded) return outcome;
    await this.#shrink();
    const kept = this.list(record.key).some((stored) =>
      equalBytes(stored.record.hash, record.hash),
    );
    return kept || !isStored(outcome.status) ? outcome : { status: QUOTA_TOTAL };
  }

  /** Others agree on who holds the name: it needs no confirmation any more. */
  async confirm({ key, hash }: SignedRecord): Promise<void> {
    await this.#change({ key, hash }, (stored) => ({ ...stored, provisional: false }));
  }

  /** The record is held by others as it should be: as good as if it had come in again. */
  async refresh({ key, hash }: SignedRecord): Promise<void> {
    const refreshedMs = this.#deps.clock.unixMs();
    await this.#change({ key, hash }, (stored) => ({ ...stored, refreshedMs }));
  }

  /**
   * Takes a name's record that most of those who should hold it hold, in place of another owner's.
   * It must have been verified. False when ours is proven to be the later owner's after all, or
   * when there is none of ours any more, and no room for theirs.
   */
  async adopt(record: SignedRecord, { source }: Origin): Promise<boolean> {
    const { clock, network } = this.#deps;
    if (this.#counting || this.#isDenied(record)) return false;
    const isAdopted = await this.#turns.run(toHex(record.key), async () => {
      const slot = slotOf(record);
      const there = this.#held(record.key).find((other) => equalBytes(other.slot, slot));
      const holder = there && !this.isDue(there) ? there.stored : undefined;
      const nowUnixSeconds = unixSeconds(clock);
      if (!mayAdopt(record, { holder, nowUnixSeconds, network })) return false;
      const nowMs = clock.unixMs();
      if (!there && this.#room.judge(record, { source, nowMs }) !== OK) return false;
      const stored = { record, heldSinceMs: nowMs, refreshedMs: nowMs, provisional: false, source };
      await this.#put(slot, stored, there);
      return true;
    });
    if (this.#room.isExceeded) await this.#shrink();
    return isAdopted;
  }

  /** Whether its time here is over, or it is denied. */
  isDue({ stored }: Held): boolean {
    const { record } = stored;
    return dropAtMs(stored) <= this.#dueMs() || mustGo(record, this.#deps.denies?.(record));
  }

  /** Forgets what is due. */
  async dropIfDue(held: Held): Promise<void> {
    if (!this.#counting && this.isDue(held)) {
      await this.#removeIf(held, (now) => this.isDue(now));
    }
  }

  /** What is due by this time is: a clock that was set wrong must not empty the store. */
  #dueMs(): number {
    return this.#deps.earliestUnixMs?.() ?? this.#deps.clock.unixMs();
  }

  /** The checks that need nothing but the record and our place, cheapest first. */
  #judgeAlone(record: SignedRecord): Outcome {
    const { clock, profile, isTooFar } = this.#deps;
    const status =
      checkKind(record) ||
      checkKey(record) ||
      (isTooFar(record.key) ? NOT_CLOSE : OK) ||
      checkTime(record, unixSeconds(clock)) ||
      checkWork(record, profile);
    return { status, ...(status === POW ? { detail: powBitsFor(record, profile) } : {}) };
  }

  async #place(record: SignedRecord, source: string): Promise<Outcome> {
    const { clock, network } = this.#deps;
    const slot = slotOf(record);
    const all = this.#held(record.key).filter(({ stored }) => stored.record.kind === record.kind);
    const there = all.find((other) => equalBytes(other.slot, slot));
    const nowMs = clock.unixMs();
    const held = all.filter((other) => !this.isDue(other));
    const nowUnixSeconds = unixSeconds(clock);
    const isDenied = this.#isDenied(record);
    const judged: Judged = { candidate: record, slot, source, held, nowUnixSeconds, network };

    const isSame = there && equalBytes(there.stored.record.hash, record.hash);
    if (isSame && held.includes(there) && !isDenied) {
      // The same bytes were verified when they came first.
      if (Math.abs(nowMs - there.stored.refreshedMs) >= refreshedLatelyMs) {
        await this.#put(slot, { ...there.stored, refreshedMs: nowMs }, there);
      }
      return { status: OK_DUPLICATE };
    }
    const room = roomUnderKey(judged);
    if ('status' in room) return room;
    const status =
      (there ? OK : this.#room.judge(record, { source, nowMs })) ||
      (isDenied ? REVOKED : OK) ||
      this.#reader.checkSignatures(record, network);
    if (status !== OK) return { status };
    const refusal = judgeName(judged) ?? refuseOlder(judged);
    if (refusal) return this.#mayShow(refusal) ? refusal : { status: REVOKED };

    const heldSinceMs = sinceMsOf(judged) ?? nowMs;
    const provisional = isProvisional(judged);
    await this.#put(slot, { record, heldSinceMs, refreshedMs: nowMs, provisional, source }, there);
    // Only now: what cannot be written must not cost what is there.
    for (const displaced of room.displaced) await this.#remove(displaced);
    if (provisional) this.#deps.onClaim?.({ key: record.key, source });
    return { status: provisional ? OK_PROVISIONAL : OK };
  }

  /** What is denied stands in the way all the same, and is not shown. */
  #mayShow({ conflicting }: Refusal): boolean {
    return conflicting === undefined || !this.#isDenied(conflicting);
  }

  #held(key: Bytes): readonly Held[] {
    return this.#deps.records.list(key).map((stored) => ({ slot: slotOf(stored.record), stored }));
  }

  async #put(slot: Bytes, stored: StoredRecord, before: Held | undefined): Promise<void> {
    await this.#deps.records.put(slot, stored);
    if (before) this.#ledger.remove(before.stored);
    this.#ledger.add(stored);
  }

  async #remove({ slot, stored }: Held): Promise<void> {
    await this.#deps.records.remove(stored.record.key, slot);
    this.#ledger.remove(stored);
  }

  async #change(
    { key, hash }: Pick<SignedRecord, 'key' | 'hash'>,
    change: (stored: StoredRecord) => StoredRecord,
  ): Promise<void> {
    if (this.#counting) return;
    await this.#turns.run(toHex(key), async () => {
      const held = this.#held(key).find(({ stored }) => equalBytes(stored.record.hash, hash));
      if (held) await this.#put(held.slot, change(held.stored), held);
    });
  }

  /** Removes what stands in the slot by now if `mayGo` still says so. */
  async #removeIf({ slot, stored }: Held, mayGo: (now: Held) => boolean): Promise<void> {
    const { key } = stored.record;
    await this.#turns.run(toHex(key), async () => {
      const now = this.#held(key).find((other) => equalBytes(other.slot, slot));
      if (now && mayGo(now)) await this.#remove(now);
    });
  }

  #shrink(): Promise<void> {
    this.#shrinking ??= this.#makeRoom().finally(() => {
      this.#shrinking = undefined;
    });
    return this.#shrinking;
  }

  async #makeRoom(): Promise<void> {
    for (let i = 0; i < victimsMax && this.#room.isExceeded; i++) {
      const victim = this.#room.victim(this.#dueMs());
      if (!victim) return;
      await this.#removeIf(victim, () => true);
    }
  }
}

function powBitsFor(record: SignedRecord, profile: NetworkProfile): number {
  return storedKind(record.kind)?.powBits(profile) ?? 0;
}
