/**
 * What the content module asks of its neighbours. `store` implements Blocks and Roots, `peer`
 * Connections, `dht` the publisher and the search; tests implement them in memory.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { ByteStream } from '../peer/stream.ts';
import type { SignedRecord } from '../record/envelope.ts';

export interface Block {
  /** SHA-256 of `bytes`, 32 bytes. Whoever hands over a block has checked it. */
  readonly hash: Bytes;
  /** At most 2 MiB. The store may keep the array until `putAll` resolves; nobody changes it. */
  readonly bytes: Bytes;
}

/** Blocks by the SHA-256 of their bytes. */
export interface Blocks {
  get(hash: Bytes): Bytes | undefined;
  has(hash: Bytes): boolean;
  /** Resolves when a crash can no longer undo it. Rejects with DISK_FULL. */
  putAll(blocks: readonly Block[]): Promise<void>;
}

/** A DAG that this node holds from top to bottom, and so provides to others. */
export interface HeldRoot {
  /** SHA-256 of the root block, 32 bytes. */
  readonly hash: Bytes;
  /** What the root block is: a UnixFS node, or plain bytes (a value). */
  readonly codec: 'dag-pb' | 'raw';
  /** Whether this node's own user published it, rather than fetched it. */
  readonly own: boolean;
  readonly files: number;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly addedMs: number;
}

export interface Roots {
  get(hash: Bytes): HeldRoot | undefined;
  list(): Iterable<HeldRoot>;
  /** Resolves when a crash can no longer undo it. */
  put(root: HeldRoot): Promise<void>;
  remove(hash: Bytes): Promise<void>;
}

/** Brings a record of this node to its storers now, and keeps it alive from then on. */
export interface Publisher {
  publish(
    record: SignedRecord,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly stored: number }>;
}

export interface ProviderSearch {
  /** One item per node that answered, as answers come; ends when no more are to be had. */
  gather(
    key: Bytes,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<{ readonly from: Contact; readonly records: readonly SignedRecord[] }>;
}

export interface Connections {
  /** TCP multiaddrs under which others reach this node. */
  addresses(): string[];
  handle(protocol: string, handler: (stream: ByteStream) => Promise<void>): Promise<void>;
  /** Rejects with UNREACHABLE, TIMEOUT, WRONG_PEER or ABORTED. */
  open(
    target: { readonly publicKey: Bytes; readonly addresses: readonly string[] },
    protocol: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ByteStream>;
}
