/**
 * What users and operators ask of a node about trust: registrars, revocation, blocklist, and what
 * was read of a site. `NodeServices` takes these in as they come to be.
 */
import type { CallOptions } from './call-options.ts';

/** A registrar's leave for an author to write a name (docs/spec/names.md, "Zones"). */
export interface CertificateInfo {
  name: string;
  /** Public key of the registrar. */
  zone: string;
  /** Public key of the author who may write the name. */
  owner: string;
  serial: number;
  /** Unix seconds. */
  not_before: number;
  /** Unix seconds. */
  not_after: number;
  state: 'valid' | 'not-yet' | 'expired' | 'withdrawn';
  /** What the owner gives to `register --certificate`. */
  certificate: string;
}

/** A certificate that was kept for the name that it is about. */
export interface AcceptResult {
  name: string;
  /** Public key of the registrar. */
  zone: string;
  serial: number;
  /** Unix seconds. */
  not_after: number;
  /** The name is published here and was signed anew with it: its version, and who holds it. */
  version?: number;
  stored?: number;
}

export interface RegistrarServices {
  /**
   * `owner`: key name or 64 hex digits; `days`: 1 to 3650. A name that was certified before gets a
   * higher serial.
   */
  certify(
    input: { name: string; owner: string; days?: number | undefined },
    options?: CallOptions,
  ): Promise<CertificateInfo>;
  /** The latest of each name that this node's author key signed; at most 10,000, by name. */
  certificates(): Promise<CertificateInfo[]>;
  /** As the owner: what a registrar's certificate says is used from now on. CERTIFICATE_BAD. */
  accept(input: { certificate: string }, options?: CallOptions): Promise<AcceptResult>;
  /** The name stops resolving wherever this registrar is trusted. Rejects with NAME_NOT_FOUND. */
  withdraw(
    input: { name: string },
    options?: CallOptions,
  ): Promise<{ name: string; ok: true; stored: number }>;
}

export interface RevokeResult {
  /** What was asked for: a name, or the root as 64 hex digits. */
  name: string;
  /** What the name showed, or the root itself; absent for a name that shows nothing. */
  root?: string;
  /** Blocks that went from this node's disk. */
  chunk_count: number;
  ok: true;
  /** Entries that were added to the revoker's list: 0 when all of it was so before. */
  changed: number;
  /** Entries of the revoker's list now. */
  entries: number;
  /** Nodes that hold the list's record; 0 while it waits to be signed. */
  stored: number;
  /** Lists are a minute apart: so long until others are told; absent when they were. */
  wait_seconds?: number;
}

export interface RevocationListInfo {
  /** Public key. */
  revoker: string;
  /** Entries in force; 0 as long as no list was seen. */
  entries: number;
  /** Unix seconds: when the list was signed; absent when none was seen. */
  issued?: number;
  /** Unix seconds: from then on a newer one should have come. */
  next_update?: number;
  /** unknown: none was seen yet. */
  state: 'fresh' | 'stale' | 'unknown';
  /** Two lists that contradict each other were seen. */
  equivocated?: true;
  /** Entries are missing that have yet to be fetched. */
  lacking?: true;
}

export interface RevocationServices {
  /** `what`: name, CID or 64 hex digits; `undo` takes it back. */
  revoke(
    input: { what: string; undo?: boolean | undefined },
    options?: CallOptions,
  ): Promise<RevokeResult>;
  /** One for each trusted revoker, in the order of trusted-revokers.txt, then one's own if any. */
  revocations(): Promise<RevocationListInfo[]>;
}

export interface BlockResult {
  /** The line of blocklist.txt. */
  entry: string;
  /** False: it was there, or was not there, before. */
  changed: boolean;
  /** Blocks that went from this node's disk. */
  chunk_count: number;
}

export interface BlocklistInfo {
  file: string;
  /** At most 10,000, as they stand in the file. */
  entries: string[];
  count: number;
  /** Lines that mean nothing: at most 100. */
  bad: { line: number; why: string }[];
  /** All of them. */
  bad_count: number;
  /** Valid lines about what AltNet does not have, such as names of the DNS. */
  foreign_count: number;
}

/** Rejects with BAD_ARGUMENT, BAD_NAME, BAD_URL, LIST_UNREADABLE, DISK_FULL or BUSY. */
export interface BlocklistServices {
  /** `what`: root, name or URL, or a line as it stands in the file ("/ipfs/CID/path"). */
  block(input: { what: string; note?: string | undefined }): Promise<BlockResult>;
  unblock(input: { what: string }): Promise<BlockResult>;
  blocklist(): Promise<BlocklistInfo>;
}

/** What the gateway counted of one site. No address of a visitor is kept (docs/spec/stats.md). */
export interface SiteStatsResult {
  name: string;
  requests: number;
  bytes: number;
  /** Estimated, within a few per cent. */
  unique_ips: number;
  /** 0: never. */
  last_seen_unix: number;
  /** The last 30 days with visits, UTC, oldest first. */
  days: { date: string; requests: number; bytes: number; unique_ips: number }[];
}

export interface SiteStatsServices {
  /** Zeros for a name that nobody opened. Rejects with BAD_NAME. */
  siteStats(name: string): Promise<SiteStatsResult>;
}
