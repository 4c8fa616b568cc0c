/**
 * How a storer judges a record against those that it holds under the same key. One rule per file;
 * `storage.ts` applies them in the order of docs/spec/dht.md, "Acceptance".
 */
import type { Bytes } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { StoreStatus } from '../../record/kinds.ts';
import type { StoredRecord } from '../ports.ts';

/** A held record and its slot, which follows from it. */
export interface Held {
  readonly slot: Bytes;
  readonly stored: StoredRecord;
}

export interface Judged {
  readonly candidate: SignedRecord;
  /** The candidate's. */
  readonly slot: Bytes;
  /** Where the candidate comes from, see `StoredRecord.source`. */
  readonly source: string;
  /** All records of the candidate's kind under its key that are not due to be dropped. */
  readonly held: readonly Held[];
  readonly nowUnixSeconds: number;
  /** For signatures inside of records: of transfers, of certificates. */
  readonly network: Bytes;
}

export interface Refusal {
  readonly status: StoreStatus;
  /** What stands in the way, for the asker to see. */
  readonly conflicting?: SignedRecord | undefined;
}

/** Undefined: this rule has nothing against it. */
export type Rule = (judged: Judged) => Refusal | undefined;
