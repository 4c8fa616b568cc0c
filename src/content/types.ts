/** What the content module gives to its callers: sites that can be published, fetched and read. */
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';

export interface Progress {
  /**
   * What goes on: reading a folder, telling others that it is here, giving it its name, making
   * copies elsewhere, or (left out) what was asked for.
   */
  readonly phase?: 'reading' | 'announcing' | 'naming' | 'copying';
  /** CID of what is being published, once it is here to stay. */
  readonly root?: string;
  readonly bytes: number;
  /** Undefined while unknown. */
  readonly bytesTotal?: number;
  readonly files: number;
  readonly peers: number;
  /** While a proof of work is being searched: tries so far, and tries after which 63 % are done. */
  readonly work?: { readonly tried: number; readonly triesExpected: number };
}

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called at most about ten times a second. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface AddOptions extends WorkOptions {
  /** Stays in the store even when nothing names it any more. */
  readonly keep?: boolean | undefined;
}

export interface ReplicateOptions extends WorkOptions {
  /** The version before this one: nodes that hold a copy of it replace it. */
  readonly replaces?: CID | undefined;
}

export interface PublishOptions extends AddOptions, ReplicateOptions {
  /** False: copies are made in the background, and the answer says nothing of them. */
  readonly awaitCopies?: boolean | undefined;
}

/** How many full copies there are besides this node's, and why there are not more. */
export interface Replication {
  readonly replicas: number;
  readonly wanted: number;
  /** Empty when all were made; at most 8 reasons, most frequent first. */
  readonly refused: readonly { readonly why: ReplicaRefusal; readonly nodes: number }[];
}

/**
 * too-large: more than one peer may store elsewhere. budget: no room. blocked: by a list of that
 * node. far: others are closer to the root. busy: too much at once. unreachable, failed, slow: the
 * network. too-few: there are not as many storage nodes as copies are wanted.
 */
export type ReplicaRefusal =
  | 'too-large'
  | 'budget'
  | 'blocked'
  | 'far'
  | 'busy'
  | 'unreachable'
  | 'failed'
  | 'slow'
  | 'too-few';

export interface AddedSite {
  readonly root: CID;
  readonly files: number;
  readonly bytes: number;
  /** Nodes that hold the provider record. */
  readonly announced: number;
  /** Path of the first thing to open: '' when there is an index.html, else "/name" of a lone file. */
  readonly entry: string;
}

export interface Publication extends AddedSite, Replication {}

export interface FetchSummary {
  readonly root: CID;
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Peers that sent blocks; 0 when all was here already. */
  readonly peers: number;
}

export interface SiteFile {
  readonly type: 'file';
  readonly cid: CID;
  readonly size: number;
  /** Bytes `from` (default 0) to `to` exclusive (default size), verified, in pieces of ≤ 1 MiB. */
  read(range?: {
    readonly from?: number;
    readonly to?: number;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<Bytes>;
}

export interface SiteFolder {
  readonly type: 'folder';
  readonly cid: CID;
  /** Names in the order of the folder; at most 10,000 of them. */
  readonly entries: readonly {
    readonly name: string;
    readonly size: number;
    /** Left out where that is not known here. */
    readonly type?: 'file' | 'folder' | undefined;
  }[];
}

export type SiteEntry = SiteFile | SiteFolder;

export interface OpenOptions extends Abortable {
  /**
   * What of a file will be read first, where that is known: it comes with the path, for which one
   * round trip is enough. Bytes `from` to `to`, exclusive; left out, the beginning.
   */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
}

/** How the gateway reads sites. */
export interface SiteReader {
  /**
   * What stands at `path` ("" or "a/b.html", decoded) under `root`; what this node lacks is fetched
   * from peers first, and the whole site is then fetched in the background and provided.
   * Rejects with CONTENT_NO_PATH, NO_PROVIDERS, CONTENT_UNAVAILABLE, CONTENT_BAD, TIMEOUT, ABORTED.
   */
  open(root: CID, path: string, options?: OpenOptions): Promise<SiteEntry>;
}

/** Which blocks below the end of a path belong to an answer. */
export interface DagScope {
  /** The one block; what a file or the list of a folder needs; everything below. */
  readonly scope: 'block' | 'entity' | 'all';
  /** With entity, where a file stands there: of its blocks only those. `to` is exclusive. */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
}

export interface DagBlock {
  /** CIDv1. */
  readonly cid: CID;
  readonly bytes: Bytes;
}

/** What stands at a path, and what proves it. */
export interface OpenedDag {
  readonly cid: CID;
  /** Of its first block. */
  readonly bytes: Bytes;
  /** Of the file that it is; undefined for a folder. */
  readonly fileBytes: number | undefined;
  /**
   * The blocks of the path from the root on, then those of the scope, depth first and each once;
   * one at a time in memory. Rejects like `open`, also when a block is denied.
   */
  blocks(scope: DagScope, options?: Abortable): AsyncIterable<DagBlock>;
}

/** How the gateway reads sites for those who check everything themselves. */
export interface DagReader {
  /** Rejects like SiteReader.open. */
  openDag(root: CID, path: string, options?: Abortable): Promise<OpenedDag>;
}
