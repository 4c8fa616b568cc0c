/**
 * What a storer has room for: how much one author and one source may have of it, and what goes when
 * it is full. It says what is too much; `storage.ts` writes and removes.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import { slotOf } from '../../record/registry.ts';
import { distanceNumber, prefixAt } from '../distance.ts';
import { dropAtMs } from './keeping.ts';
import { type Ledger, type Share, shareOf, shares } from './ledger.ts';
import type { RecordStore } from '../ports.ts';
import type { Held } from '../rules/rule.ts';
import { isLimited, ownSource } from '../rules/source.ts';

export interface RoomOptions {
  /** Bytes of records that are kept for others. */
  readonly recordBytesBudget: number;
  /** Records of one author, under all keys. */
  readonly authorRecordsMax: number;
  /** Records that came from one network of the Internet (IPv4 /24, IPv6 /48). */
  readonly sourceRecordsMax: number;
}

export const roomDefaults: RoomOptions = {
  recordBytesBudget: 64 * 1024 * 1024,
  authorRecordsMax: 256,
  sourceRecordsMax: 2000,
};

/** How much of the budget is kept for what; what one leaves, the others may use meanwhile. */
const shareOfBudget: Readonly<Record<Share, number>> = { names: 0.5, links: 0.3, providers: 0.2 };

/** Keys that are looked at for one victim: that many begin alike only by somebody's long work. */
const alikeMax = 64;

const { OK, QUOTA_AUTHOR, QUOTA_NET, QUOTA_TOTAL } = storeStatuses;

export class Room {
  readonly #self: Bytes;
  readonly #records: RecordStore;
  readonly #ledger: Ledger;
  readonly #options: RoomOptions;

  constructor(
    { self, records, ledger }: { self: Bytes; records: RecordStore; ledger: Ledger },
    options: RoomOptions,
  ) {
    this.#self = self;
    this.#records = records;
    this.#ledger = ledger;
    this.#options = options;
  }

  get isExceeded(): boolean {
    return this.#ledger.totals.bytes > this.#options.recordBytesBudget;
  }

  /** For a record that takes a new place: OK, or which limit it breaks. */
  judge(record: SignedRecord, { source, nowMs }: { source: string; nowMs: number }): StoreStatus {
    const { authorRecordsMax, sourceRecordsMax } = this.#options;
    const isOwn = source === ownSource;
    if (!isOwn && this.#ledger.ofAuthor(record.author) >= authorRecordsMax) return QUOTA_AUTHOR;
    if (isLimited(source) && this.#ledger.ofSource(source) >= sourceRecordsMax) return QUOTA_NET;
    return this.#wouldGoFirst(record, nowMs) ? QUOTA_TOTAL : OK;
  }

  /**
   * Who goes next: what is due; else, of the kind that is most over its share, what is farthest
   * from us; under one key, what came from the source that has most, then what came last. Never
   * what expires first, which its author chose. Undefined when nothing is held.
   */
  victim(nowMs: number): Held | undefined {
    const due = this.#ledger.dueFirst();
    if (due && due.rank <= nowMs) {
      const found = this.#heldAt(due.mark).find(({ stored }) => dropAtMs(stored) <= nowMs);
      if (found) return found;
    }
    const share = this.#fullest();
    return this.#heldAt(this.#ledger.farthestOf(share))
      .filter(({ stored }) => shareOf(stored.record.kind) === share)
      .toSorted(
        (a, b) =>
          this.#ledger.ofSource(b.stored.source) - this.#ledger.ofSource(a.stored.source) ||
          b.stored.heldSinceMs - a.stored.heldSinceMs,
      )
      .at(0);
  }

  /** Whether it would be taken only to go at once: cheaper to know before its signature. */
  #wouldGoFirst(record: SignedRecord, nowMs: number): boolean {
    const { bytes } = record;
    const { totals } = this.#ledger;
    if (totals.bytes + bytes.length <= this.#options.recordBytesBudget) return false;
    const due = this.#ledger.dueFirst();
    if (due && due.rank <= nowMs) return false;
    const share = shareOf(record.kind);
    const distance = distanceNumber(this.#self, record.key);
    return this.#fullest(record) === share && distance > this.#ledger.farthestOf(share);
  }

  /** The share that is used most, as if `coming` were there already. */
  #fullest(coming?: SignedRecord): Share {
    const use = (share: Share): number => {
      const more = coming && shareOf(coming.kind) === share ? coming.bytes.length : 0;
      return (this.#ledger.bytesOf(share) + more) / shareOfBudget[share];
    };
    return shares.reduce((a, b) => (use(b) > use(a) ? b : a));
  }

  /** What is held under the keys at such a distance: mostly those of one key. */
  #heldAt(distance: number): readonly Held[] {
    if (distance < 0) return [];
    const prefix = prefixAt(this.#self, distance);
    const found: Held[] = [];
    let looked = 0;
    for (const key of this.#records.keys(prefix)) {
      if (distanceNumber(this.#self, key) !== distance || ++looked > alikeMax) break;
      for (const stored of this.#records.list(key)) {
        found.push({ slot: slotOf(stored.record), stored });
      }
    }
    return found;
  }
}
