/**
 * What the naming module asks of the layers below: searching, publishing, repairing, remembering
 * owners and reading zone files. The DHT, its publisher and the store fit as they are; tests
 * implement them in memory.
 */
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind, StoreStatus } from '../record/kinds.ts';

/** What one node holds under a key. */
export interface NameAnswer {
  readonly from: Contact | 'self';
  /** Each verified, of the key and kind asked for; withdrawals and expired names among them. */
  readonly records: readonly SignedRecord[];
  /** For each record whether its holder awaits confirmation. */
  readonly provisional: readonly boolean[];
}

export interface NameSearchEnd {
  /** Nodes that answered, also those met on the way, and this one if it counts. */
  readonly answered: number;
  /**
   * Those of the key's storage set that answered, nearest first, this node not among them: they
   * have the votes.
   */
  readonly closest: readonly Contact[];
  /** False when the search could not ask all who should know: then silence means nothing. */
  readonly complete: boolean;
}

export interface NameSearch {
  gather(
    key: Bytes,
    options: Abortable & {
      readonly kind: RecordKind;
      /** The whole storage set: who asked fewer could be shown a minority. */
      readonly reach: 'whole';
      readonly paths: 1 | 2;
      /** Records with a lower seq are old news. */
      readonly minSeq: bigint;
      /** Expired names that are still reserved for their owner are wanted too. */
      readonly reserved: true;
    },
  ): AsyncGenerator<NameAnswer, NameSearchEnd>;
  /** Servers in the network, this node included: an estimate. */
  networkSize(): number;
  /** Offers a record to nodes that should hold it. */
  store(
    record: SignedRecord,
    options: Abortable & { readonly targets: readonly Contact[] },
  ): Promise<unknown>;
}

/** Withdrawals under a key that this node holds for the network. */
export type WithdrawalsHeld = (key: Bytes) => readonly Pick<SignedRecord, 'hash'>[];

export interface NamePublication {
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

export interface NamePublisher {
  /** Stores the record in the network and keeps it alive from then on. */
  publish(record: SignedRecord, options: Abortable): Promise<NamePublication>;
  /** The same for a tombstone, which takes the place of what it withdraws. */
  withdraw(tombstone: SignedRecord, options: Abortable): Promise<NamePublication>;
  /** What is being kept alive; tombstones are not among it. */
  list(kind: RecordKind): readonly { readonly record: SignedRecord }[];
}

export interface NameNotes {
  get(name: string): Bytes | undefined;
  list(prefix: string): readonly { readonly name: string; readonly value: Bytes }[];
  put(name: string, value: Bytes): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

/**
 * Reads the file under a root, at most `bytesMax` bytes of it. Rejects with NO_PROVIDERS,
 * CONTENT_UNAVAILABLE, CONTENT_BAD (also when there is more, or no file), TIMEOUT or ABORTED.
 */
export type ReadZoneFile = (
  root: CID,
  options: Abortable & { readonly bytesMax: number },
) => Promise<Bytes>;
