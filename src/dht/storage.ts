/**
 * What this node holds for others: judges what comes in, keeps it within its limits and forgets
 * what is due. It does not know who asks or how; `handler.ts` and `dht.ts` do.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { type Clock, unixSeconds } from '../base/clock.ts';
import {
  checkForm,
  checkKey,
  checkKind,
  checkSignature,
  checkTime,
  checkWork,
} from '../record/acceptance.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { isStored, recordKinds, type StoreStatus, storeStatuses } from '../record/kinds.ts';
import type { NetworkProfile } from '../record/network.ts';
import { slotOf } from '../record/registry.ts';
import { compareDistance } from './distance.ts';
import { dropAtMs } from './keeping.ts';
import type { RecordStore, StoredRecord } from './ports.ts';
import { refuseOlder } from './rules/order.ts';
import { refuseOthers } from './rules/ownership.ts';
import { displacedTombstones, refuseExcess } from './rules/quota.ts';
import type { Held, Judged, Refusal } from './rules/rule.ts';
import { Serial } from './serial.ts';

export interface StorageOptions {
  /** Bytes of records that are kept for others. */
  readonly recordBytesBudget: number;
  /** Records being written at a time, above which more are refused with RATE. */
  readonly writesMax: number;
}

export const storageDefaults: StorageOptions = {
  recordBytesBudget: 64 * 1024 * 1024,
  writesMax: 1024,
};

export interface StorageDeps {
  readonly records: RecordStore;
  readonly clock: Clock;
  /** Our node ID. */
  readonly self: Bytes;
  readonly profile: NetworkProfile;
  readonly network: Bytes;
  /** Whether others are so much nearer to the key that we should not hold it. */
  readonly isTooFar: (key: Bytes) => boolean;
}

export interface Outcome {
  readonly status: StoreStatus;
  readonly conflicting?: SignedRecord | undefined;
}

const { OK, OK_DUPLICATE, NOT_CLOSE, QUOTA_TOTAL, RATE } = storeStatuses;

/** Making room goes on until so much of the budget is used, so that it is rarely needed. */
const roomyShare = 0.95;

export class Storage {
  readonly #deps: StorageDeps;
  readonly #options: StorageOptions;
  readonly #serial: Serial;
  #bytes = 0;
  #count = 0;
  #shrinking: Promise<void> | undefined;

  constructor(deps: StorageDeps, options: StorageOptions = storageDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#serial = new Serial(options.writesMax);
  }

  /** Records, and their bytes. */
  get totals(): { readonly records: number; readonly bytes: number } {
    return { records: this.#count, bytes: this.#bytes };
  }

  /** Counts what an earlier run left. */
  open(): void {
    this.#bytes = 0;
    this.#count = 0;
    for (const { stored } of this.entries()) this.#account(stored.record.bytes.length, 1);
  }

  entries(): Iterable<Held> {
    return this.#deps.records.entries();
  }

  /** What is held under `key` and not due to be dropped. */
  list(key: Bytes): readonly StoredRecord[] {
    const nowMs = this.#deps.clock.unixMs();
    return this.#deps.records.list(key).filter((stored) => dropAtMs(stored) > nowMs);
  }

  /**
   * Takes a record or says why not. `source` is the narrow prefix of the address that it came
   * from, '' for this node itself. Resolves when what was taken is safe; rejects when the store
   * cannot write.
   */
  async accept(bytes: Bytes, { source }: { source: string }): Promise<Outcome> {
    const parsed = checkForm(bytes);
    if (!parsed.ok) return { status: parsed.status };
    const { record } = parsed;
    const status = this.#judgeAlone(record);
    if (status !== OK) return { status };
    if (this.#serial.full) return { status: RATE };
    const outcome = await this.#serial.run(toHex(record.key), () => this.#place(record, source));
    if (this.#bytes <= this.#options.recordBytesBudget) return outcome;
    await this.#shrink();
    const kept = this.list(record.key).some((stored) =>
      equalBytes(stored.record.hash, record.hash),
    );
    return kept || !isStored(outcome.status) ? outcome : { status: QUOTA_TOTAL };
  }

  /** Forgets what is due. */
  async dropIfDue(held: Held): Promise<void> {
    if (this.#isDue(held)) await this.#removeIf(held, (now) => this.#isDue(now));
  }

  /** The checks that need nothing but the record and our place, cheapest first. */
  #judgeAlone(record: SignedRecord): StoreStatus {
    const { clock, profile, isTooFar } = this.#deps;
    return (
      checkKind(record) ||
      checkKey(record) ||
      (isTooFar(record.key) ? NOT_CLOSE : OK) ||
      checkTime(record, unixSeconds(clock)) ||
      checkWork(record, profile)
    );
  }

  async #place(record: SignedRecord, source: string): Promise<Outcome> {
    const { clock, network } = this.#deps;
    const slot = slotOf(record);
    const all = this.#held(record.key).filter(({ stored }) => stored.record.kind === record.kind);
    const there = all.find((other) => equalBytes(other.slot, slot));
    const nowMs = clock.unixMs();
    const held = all.filter((other) => !this.#isDue(other));
    const judged: Judged = { candidate: record, slot, held, nowUnixSeconds: unixSeconds(clock) };

    if (there && equalBytes(there.stored.record.hash, record.hash)) {
      // The same bytes were verified when they came first.
      await this.#put(slot, { ...there.stored, refreshedMs: nowMs }, there);
      return { status: OK_DUPLICATE };
    }
    const excess = refuseExcess(judged);
    if (excess) return excess;
    const status = checkSignature(record, network);
    if (status !== OK) return { status };
    const refusal = judgeKind(judged);
    if (refusal) return refusal;

    for (const displaced of displacedTombstones(judged)) await this.#remove(displaced);
    const sameOwner = there && equalBytes(there.stored.record.author, record.author);
    const heldSinceMs = sameOwner ? there.stored.heldSinceMs : nowMs;
    const stored = { record, heldSinceMs, refreshedMs: nowMs, provisional: false, source };
    await this.#put(slot, stored, there);
    return { status: OK };
  }

  #held(key: Bytes): readonly Held[] {
    return this.#deps.records.list(key).map((stored) => ({ slot: slotOf(stored.record), stored }));
  }

  async #put(slot: Bytes, stored: StoredRecord, before: Held | undefined): Promise<void> {
    await this.#deps.records.put(slot, stored);
    this.#account(stored.record.bytes.length, 1);
    if (before) this.#account(-before.stored.record.bytes.length, -1);
  }

  async #remove({ slot, stored }: Held): Promise<void> {
    await this.#deps.records.remove(stored.record.key, slot);
    this.#account(-stored.record.bytes.length, -1);
  }

  #account(bytes: number, count: number): void {
    this.#bytes += bytes;
    this.#count += count;
  }

  #isDue({ stored }: Held): boolean {
    return dropAtMs(stored) <= this.#deps.clock.unixMs();
  }

  /** Removes what stands in the slot by now if `mayGo` still says so. */
  async #removeIf({ slot, stored }: Held, mayGo: (now: Held) => boolean): Promise<void> {
    const { key } = stored.record;
    await this.#serial.run(toHex(key), async () => {
      const now = this.#held(key).find((other) => equalBytes(other.slot, slot));
      if (now && mayGo(now)) await this.#remove(now);
    });
  }

  #shrink(): Promise<void> {
    this.#shrinking ??= this.#evict().finally(() => {
      this.#shrinking = undefined;
    });
    return this.#shrinking;
  }

  /**
   * What is due goes first, then what is farthest from us; never what expires first, which its
   * author chose.
   */
  async #evict(): Promise<void> {
    const { self } = this.#deps;
    const order = [...this.entries()].toSorted(
      (a, b) =>
        Number(this.#isDue(b)) - Number(this.#isDue(a)) ||
        compareDistance(self, b.stored.record.key, a.stored.record.key),
    );
    for (const held of order) {
      if (this.#bytes <= this.#options.recordBytesBudget * roomyShare) return;
      await this.#removeIf(held, () => true);
    }
  }
}

function judgeKind(judged: Judged): Refusal | undefined {
  const others = judged.candidate.kind === recordKinds.name ? refuseOthers(judged) : undefined;
  return others ?? refuseOlder(judged);
}
