/** What links ask of the layers below: searching, publishing, and remembering URLs. */
import type { Abortable } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Approach } from '../dht/network-records.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind, StoreStatus } from '../record/kinds.ts';

/** One node's answer. */
export interface GatheredLinks {
  readonly from: Contact | 'self';
  /** Each verified with `checkRecord` and of the key asked for. */
  readonly records: readonly SignedRecord[];
  /** Whether it says that it holds more than it was asked for. */
  readonly more: boolean;
}

export interface GatherLinksOptions extends Abortable {
  readonly kind: RecordKind;
  /** How many of the nearest must have answered. */
  readonly width: number;
  /** Pages that are read of each. */
  readonly pagesMax: number;
}

export interface LinkSearch {
  /** Answers as they arrive; then how many nodes were asked and answered. */
  gather(
    key: Bytes,
    options: GatherLinksOptions,
  ): AsyncGenerator<GatheredLinks, { readonly asked: number; readonly answered: number }>;
  /** What one node says it holds: first 16 bytes of record hashes. Rejects without an answer. */
  fetchDigests(
    from: Contact,
    key: Bytes,
    options: Abortable,
  ): Promise<readonly { readonly hash: Bytes }[]>;
  /** Those of them, verified. Rejects without an answer. */
  fetchRecords(
    from: Contact,
    key: Bytes,
    ids: readonly Bytes[],
    options: Abortable & { readonly kind: RecordKind },
  ): Promise<readonly SignedRecord[]>;
}

export interface LinkPublication {
  /** Nodes that hold the record now. */
  readonly stored: number;
  readonly asked: number;
  readonly refusals: readonly {
    readonly status: StoreStatus;
    readonly count: number;
    /** The records that stood in the way, verified. */
    readonly conflicting: readonly SignedRecord[];
  }[];
}

export interface PublishLinkOptions extends Abortable {
  readonly approach?: Approach | undefined;
}

export interface LinkPublisher {
  /** Begins to find those who should hold a record under `key` that is yet to be made. */
  approach(key: Bytes, options: Abortable): Approach;
  /** Stores the record in the network and keeps it alive from then on. */
  publish(record: SignedRecord, options: PublishLinkOptions): Promise<LinkPublication>;
  /** The same for a tombstone, which takes the place of what it withdraws. */
  withdraw(tombstone: SignedRecord, options: PublishLinkOptions): Promise<LinkPublication>;
  /** What is being kept alive; tombstones are not among it. */
  list(kind: RecordKind): readonly { readonly record: SignedRecord }[];
  /** Likewise, of one key; for this there is no need to look through all. */
  under(key: Bytes): readonly { readonly record: SignedRecord }[];
}

/** Records hold only the hash of a URL; for the list of own links, the URL itself is noted here. */
export interface LinkNotes {
  get(name: string): Bytes | undefined;
  put(name: string, value: Bytes): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}
