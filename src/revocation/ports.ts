/**
 * What the following and the writing of lists ask of their neighbours: `store` implements the
 * notes, `dht` the rest; tests and the simulator bring their own.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind } from '../record/kinds.ts';
import type { CID } from 'multiformats/cid';

/** Small things that survive a restart, as bytes under a text. */
export interface RevocationNotes {
  get(name: string): Bytes | undefined;
  list(prefix: string): readonly { readonly name: string; readonly value: Bytes }[];
  put(name: string, value: Bytes): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

/** What one node answered. */
export interface ListAnswer {
  readonly from: Contact | 'self';
  /** Verified, of the key and kind asked for. */
  readonly records: readonly SignedRecord[];
}

export interface ListSearchOptions {
  readonly kind: RecordKind;
  /** Asked after each answer; true ends the search. */
  readonly enough?: ((soFar: readonly ListAnswer[]) => boolean) | undefined;
  readonly signal: AbortSignal;
}

export interface ListNetwork {
  gather(key: Bytes, options: ListSearchOptions): AsyncIterable<ListAnswer>;
  /** Tells a few others; `except`: the node IDs of those who know. Resolves with how many heard. */
  announce(
    record: SignedRecord,
    options: { readonly except?: readonly Bytes[] | undefined; readonly signal: AbortSignal },
  ): Promise<number>;
  /** Nodes that are known: without any there is nobody to ask. */
  readonly table: { readonly size: number };
  /** About how many nodes there are. */
  networkSize(): number;
}

/** Brings a record of this node to its storers, and keeps it there. */
export interface ListPublisher {
  publish(
    record: SignedRecord,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly stored: number }>;
  /** What is kept alive under a key. */
  under(key: Bytes): readonly { readonly record: SignedRecord }[];
}

/** Whole lists, as files that others can have. */
export interface ListFiles {
  /** All of a file of exactly so many bytes. Rejects when it is another, or not to be had. */
  read(
    root: CID,
    options: { readonly bytes: number; readonly signal: AbortSignal },
  ): Promise<Bytes>;
  /** Keeps and provides a file, in place of an earlier one. */
  publish(
    octets: Bytes,
    options: { readonly replaces?: CID | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<CID>;
  /** The root that these octets have as a file. */
  rootOf(octets: Bytes): Promise<CID>;
}

/** What time it is among those that a record is for. */
export interface ListClock {
  unixMs(): number;
  /** Whether that may be wrong: then nothing is signed. */
  isDoubtful(): boolean;
}
