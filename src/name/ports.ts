/**
 * What the naming module asks of the layers below: searching, publishing, and remembering owners.
 * The DHT, its publisher and the store fit as they are; tests implement them in memory.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind, StoreStatus } from '../record/kinds.ts';

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** What one node holds under a key. */
export interface NameAnswer {
  readonly from: Contact | 'self';
  /** Each verified, of the key and kind asked for; withdrawals and expired names among them. */
  readonly records: readonly SignedRecord[];
  /** For each record whether its holder awaits confirmation; undefined where it is not known. */
  readonly provisional?: readonly boolean[] | undefined;
}

export interface NameSearchEnd {
  readonly asked: number;
  readonly answered: number;
  /** Those of the key's k nearest servers that answered, this node not among them. */
  readonly closest: readonly Contact[];
}

export interface NameSearch {
  gather(
    key: Bytes,
    options: Abortable & {
      readonly kind: RecordKind;
      /** Expired names that are still reserved for their owner are wanted too. */
      readonly reserved: true;
      /** Asked after each answer; true ends the search. */
      readonly enough: (soFar: readonly NameAnswer[]) => boolean;
    },
  ): AsyncGenerator<NameAnswer, NameSearchEnd>;
}

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
