/**
 * What the content module asks of its neighbours. `store` implements Blocks, Holdings and
 * Verifier, `peer` Connections, `dht` the publisher and the search; tests implement them in memory.
 */
import type { Bytes } from '../base/bytes.ts';
import type { StoreResult } from '../dht/placing/storing.ts';
import type { Contact } from '../identity/contact.ts';
import type { ByteStream } from '../peer/stream.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind } from '../record/kinds.ts';
import type { Link } from './dag/root.ts';

export interface Block {
  /** SHA-256 of `bytes`, 32 bytes. Whoever hands over a block has checked it. */
  readonly hash: Bytes;
  /** At most 2 MiB. The store may keep the array until `putAll` resolves; nobody changes it. */
  readonly bytes: Bytes;
}

/** Memory of exactly that length; undefined where the caller's own is as good. */
export type MemoryFor = (bytes: number) => Bytes | undefined;

/** Blocks by the SHA-256 of their bytes. They are written through a `Holding`. */
export interface Blocks {
  /** `memoryFor` offers memory of that length; what is given back lies in it, or elsewhere. */
  get(hash: Bytes, memoryFor?: MemoryFor): Bytes | undefined;
  has(hash: Bytes): boolean;
  /** What `get` gave is not what the hash says: it can be fetched again once this has resolved. */
  forget?(hash: Bytes): Promise<void>;
}

/** Hashes beside this thread. */
export interface Verifier {
  /**
   * Whether the SHA-256 of `bytes` is `hash`, once that is known; nobody changes `bytes` before.
   * Undefined when whoever asks had better find out itself.
   */
  matches(hash: Bytes, bytes: Bytes): Promise<boolean> | undefined;
}

/**
 * Why a DAG is here. own: this node's user published it; pinned, never evicted. replica: kept for
 * another peer, so that it outlives that one. visited: fetched for a reader; the first to go.
 */
export type HoldingKind = 'own' | 'replica' | 'visited';

/** A DAG that this node holds, from top to bottom or in part. */
export interface HeldRoot {
  /** SHA-256 of the root block, 32 bytes. */
  readonly hash: Bytes;
  /** What the root block is: a UnixFS node, or plain bytes (a value). */
  readonly codec: 'dag-pb' | 'raw';
  readonly kind: HoldingKind;
  /** Every block below it is here; only such a root is provided. */
  readonly complete: boolean;
  /** Of the content; 0 until it is complete. */
  readonly files: number;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly addedMs: number;
  /** Unix milliseconds: read or served last, to the minute. */
  readonly usedMs: number;
  /** replica: the node key of the peer that offered it, 32 bytes. */
  readonly from?: Bytes | undefined;
  /** own: stays even when nothing names it any more. */
  readonly keep: boolean;
  /** Unix milliseconds: since then a newer version stands in its place. */
  readonly supersededMs?: number | undefined;
}

export interface NewHolding {
  readonly kind: HoldingKind;
  /** Left out while something is being published: `complete` tells it then. */
  readonly root?: Link | undefined;
  readonly from?: Bytes | undefined;
  /** replica: the network that `from` came from, "4:" or "16:" and the hex of its /24 or /48. */
  readonly source?: string | undefined;
  /** replica: the version before, of the same peer; it need not find room beside this one. */
  readonly replaces?: Bytes | undefined;
  readonly keep?: boolean | undefined;
}

/** What is to be named, said by what is named already: it is all of the one, besides the other. */
export interface Likeness {
  /** Of a complete holding. */
  readonly root: Bytes;
  /** Of what that names. */
  readonly without: readonly Bytes[];
}

/**
 * A DAG that is being written. What was put or adopted stays as long as some holding names it.
 * `open` of a root that is held, or open already, adds to the same holding; the kind that binds
 * most (own, then replica, then visited) counts.
 */
export interface Holding extends AsyncDisposable {
  /** Resolves when a crash can no longer undo it. Rejects with DISK_FULL or STORE_FULL. */
  putAll(blocks: readonly Block[]): Promise<void>;
  /**
   * Names blocks that are here already; gives back those that are not (any more). As the first
   * thing that is done with an own holding, and with all of them at once, `like` makes it take a
   * fraction of the time.
   */
  adopt(
    hashes: Iterable<Bytes>,
    options?: { readonly like?: Likeness | undefined },
  ): Promise<readonly Bytes[]>;
  /** Sets room for `bytes` more bytes of blocks aside, evicting others. Rejects with STORE_FULL. */
  reserve(bytes: number): Promise<void>;
  /**
   * Rejects with STORE_FULL when room for `bytes` more could not be had even by evicting others.
   * Sets nothing aside and evicts nothing.
   */
  requireRoom(bytes: number): Promise<void>;
  /** The caller has put or adopted every block below `root`. */
  complete(root: {
    readonly link: Link;
    readonly files: number;
    readonly bytes: number;
  }): Promise<void>;
  /**
   * Ends the writing and frees what was set aside. When the last writer closes a holding that is
   * not complete, a visited one stays as it is and may be evicted at any time; others are removed.
   */
  close(): Promise<void>;
}

export interface Holdings {
  open(what: NewHolding): Promise<Holding>;
  get(hash: Bytes): HeldRoot | undefined;
  list(): Iterable<HeldRoot>;
  /** It was read or served just now. Cheap; written down later. */
  touch(hash: Bytes): void;
  /** What is not given stays; what is not held is no error. */
  change(hash: Bytes, to: Partial<Pick<HeldRoot, 'kind' | 'keep' | 'supersededMs'>>): Promise<void>;
  /** With all blocks that no other holding names. What is not held is no error. */
  remove(hash: Bytes): Promise<void>;
  /** Called after a root is gone, evicted or removed. */
  onRemoved(listener: (root: HeldRoot) => void): void;
  /** On the disk, by what counts against the budget. */
  usage(): { readonly bytes: number; readonly bytesMax: number };
  /** What is held as replicas for this peer, against the budget of one peer. */
  usageFor(from: Bytes): { readonly bytes: number; readonly bytesMax: number };
}

/** What storers said; what is left out is not known. */
export type Published = Pick<StoreResult, 'stored'> &
  Partial<Pick<StoreResult, 'asked' | 'refusals' | 'holders'>>;

/** Brings a record of this node to its storers now, and keeps it alive from then on. */
export interface Publisher {
  publish(
    record: SignedRecord,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Published>;
  /** What is kept alive of this kind; withdrawals are not among it. */
  list(kind: RecordKind): readonly { readonly record: SignedRecord }[];
  /** The same of one key. */
  under(key: Bytes): readonly { readonly record: SignedRecord }[];
}

/** Storage nodes: servers that listen for connections and keep what others offer. */
export interface KeeperSearch {
  /** Those that answered nearest to `key`, nearest first; none when nobody answers. */
  closest(
    key: Bytes,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Contact[]>;
  /** Whether so many others are known to be nearer to `key` that it is none of this node's. */
  isFar(key: Bytes): boolean;
}

export interface ProviderAnswer {
  readonly from: Contact;
  readonly records: readonly SignedRecord[];
}

export interface ProviderSearchEnd {
  /** Whether what was not found is not there: enough of those who should know have answered. */
  readonly isConclusive: boolean;
}

export interface ProviderSearch {
  /** One item per node that answered, as answers come; ends when no more are to be had. */
  gather(
    key: Bytes,
    options?: {
      readonly signal?: AbortSignal | undefined;
      /** Whoever is slow is waited for, however long it takes. */
      readonly isPatient?: boolean | undefined;
    },
  ): AsyncGenerator<ProviderAnswer, ProviderSearchEnd, undefined>;
}

export interface Connections {
  /** TCP multiaddrs under which others reach this node. */
  addresses(): string[];
  /** Multiaddr from which a connected peer is seen; undefined for any other. */
  remoteAddress(publicKey: Bytes): string | undefined;
  /** Where a connected peer surely is; empty where only a relay leads to it, or nothing. */
  provenAddresses(target: {
    readonly publicKey: Bytes;
    readonly addresses: readonly string[];
  }): readonly string[];
  handle(protocol: string, handler: (stream: ByteStream) => Promise<void>): Promise<void>;
  /** Rejects with UNREACHABLE, TIMEOUT, WRONG_PEER or ABORTED. */
  open(
    target: { readonly publicKey: Bytes; readonly addresses: readonly string[] },
    protocol: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ByteStream>;
}
