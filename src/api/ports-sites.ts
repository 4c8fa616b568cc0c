/**
 * What the API asks of the node about sites, in the shapes that users see as JSON: publishing them,
 * fetching them, and what is held here.
 */
import type { ReplicaRefusal } from '../content/types.ts';
import type { CallOptions } from './call-options.ts';

export interface PublishInput {
  /** Absolute, on the node's machine. */
  path: string;
  /** Registered or updated, too; no ".alt" needed. */
  name?: string | undefined;
  /** The site stays also when a newer version takes its place. */
  keep?: boolean | undefined;
  /** CID or 64 hex digits: the version before, which goes unless it is named or was kept. */
  replaces?: string | undefined;
  /** A registrar's leave to write the name, as one line of text. */
  certificate?: string | undefined;
}

/** Of a tar archive; what is not said here is like publishing the folder that it would make. */
export type PublishTarInput = Omit<PublishInput, 'path'>;

export interface PublishResult {
  root: string;
  cid: string;
  name?: string;
  version?: number;
  files: number;
  bytes: number;
  /** Nodes that hold a full copy besides this one. */
  replicas: number;
  /** How many of them there are to be. */
  replicasWanted: number;
  /** Why there are not more, most frequent first; at most 8. */
  refused: { why: ReplicaRefusal; nodes: number }[];
  /** Nodes that can tell others where the site is. */
  announced: number;
  /** Where a browser opens it. */
  url: string;
  /** The name is in no zone that this node trusts: `url` opens the root instead. */
  elsewhere?: true;
}

/** own: published here. copy: kept for another node. visited: fetched for a reader. */
export type HeldKind = 'own' | 'copy' | 'visited';

/** A site, file or value that this node holds. */
export interface HeldSite {
  root: string;
  cid: string;
  kind: HeldKind;
  /** All of it is here, and others can have it from here. */
  complete: boolean;
  /** Of the content; 0 while it is not complete. */
  files: number;
  bytes: number;
  /** Names of this node's author that point to it. */
  names: string[];
  /** Unix seconds. */
  added: number;
  /** Unix seconds: read or served last. */
  used: number;
  /** It stays also when a newer version takes its place. */
  keep?: true;
  /** Unix seconds: a newer version stands in its place since then, and it goes soon. */
  superseded?: number;
  /** Of a copy: the ID of the node that it is kept for. */
  from?: string;
}

export interface UnpublishResult {
  root: string;
  cid: string;
  /** Names of this node's author that still point to it. */
  names: string[];
}

export interface FetchResult {
  root: string;
  cid: string;
  files: number;
  bytes: number;
  seconds: number;
  peers: number;
}

export interface FetchFileInput {
  /** Name, CID or 64 hex digits. */
  what: string;
  /** "a/b.html", decoded; a folder stands for its index.html. */
  path: string;
  /** Absolute, on the node's machine; nothing is there. */
  dest: string;
  bytesMax: number;
}

export interface FetchFileResult {
  root: string;
  cid: string;
  bytes: number;
}

export interface SiteServices {
  publish(input: PublishInput, options?: CallOptions): Promise<PublishResult>;
  /** The archive is read as it arrives. Rejects also with what `body` rejects with. */
  publishTar(
    input: PublishTarInput,
    body: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<PublishResult>;
  /** `what`: name, CID or 64 hex digits. Rejects with NOT_PUBLISHED. */
  unpublish(input: { what: string }, options?: CallOptions): Promise<UnpublishResult>;
  /** What this node holds, or only its own; at most 10,000, what was used last first. */
  sites(input?: { own?: boolean | undefined }): Promise<HeldSite[]>;
  /** `what`: name, CID or 64 hex digits. `dest` is absolute; created when missing. */
  fetch(input: { what: string; dest: string }, options?: CallOptions): Promise<FetchResult>;
  /** One file of a site. */
  fetchFile(input: FetchFileInput, options?: CallOptions): Promise<FetchFileResult>;
}
