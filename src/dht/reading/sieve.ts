/**
 * Lets through what is right of the records that others hand us. The same record comes from many
 * of them; it is verified once.
 */
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { type Clock, unixSeconds } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import { LruMap } from '../../base/limits.ts';
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
  type RecordKind,
  recordKinds,
  type StoreStatus,
  storeStatuses,
} from '../../record/kinds.ts';
import type { NetworkProfile } from '../../record/network.ts';
import { freeAtSeconds } from '../rules/ownership.ts';

export interface SieveDeps {
  readonly clock: Clock;
  readonly profile: NetworkProfile;
  readonly network: Bytes;
  readonly reader?: RecordReader | undefined;
}

export interface Wanted {
  readonly key: Bytes;
  readonly kind?: RecordKind | undefined;
  readonly minSeq?: bigint | undefined;
  /** Names that have expired and are still reserved pass as well. */
  readonly reserved?: boolean | undefined;
}

export class RecordSieve {
  readonly #deps: SieveDeps;
  readonly #reader: RecordReader;
  readonly #wanted: Wanted;
  readonly #seen = new LruMap<string, SignedRecord | 'bad'>(1024);

  constructor(deps: SieveDeps, wanted: Wanted) {
    this.#deps = deps;
    this.#reader = deps.reader ?? recordReader;
    this.#wanted = wanted;
  }

  /** The record that `bytes` encode, if it is valid, belongs to the key and is what is wanted. */
  pass(bytes: Bytes): SignedRecord | undefined {
    const hash = toHex(sha256(bytes));
    const known = this.#seen.get(hash);
    if (known) return known === 'bad' ? undefined : known;
    const parsed = this.#reader.parse(bytes);
    const record = parsed.ok && this.#isRight(parsed.record) ? parsed.record : undefined;
    this.#seen.set(hash, record ?? 'bad');
    return record;
  }

  /** Those of `many` that pass, without repetition. */
  passAll(many: readonly Bytes[]): readonly SignedRecord[] {
    return [...new Set(many.map((bytes) => this.pass(bytes)))].filter(
      (record) => record !== undefined,
    );
  }

  #isRight(record: SignedRecord): boolean {
    const { key, kind, minSeq } = this.#wanted;
    const { profile, network } = this.#deps;
    if (!equalBytes(record.key, key)) return false;
    if (kind !== undefined && record.kind !== kind) return false;
    if (minSeq !== undefined && record.seq < minSeq) return false;
    const status =
      checkKind(record) ||
      checkKey(record) ||
      this.#checkTime(record) ||
      checkWork(record, profile) ||
      this.#reader.checkSignatures(record, network);
    return status === storeStatuses.OK;
  }

  #checkTime(record: SignedRecord): StoreStatus {
    const now = unixSeconds(this.#deps.clock);
    const status = checkTime(record, now);
    const reserved = record.kind === recordKinds.name && now < freeAtSeconds(record);
    const tolerated = this.#wanted.reserved === true && reserved;
    return status === storeStatuses.EXPIRED && tolerated ? storeStatuses.OK : status;
  }
}
