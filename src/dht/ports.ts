/**
 * What the DHT asks of the layers below it, and the messages that cross. It does not know how
 * messages are encoded, sealed or carried, nor where records are kept: `rpc` and `store`, or the
 * simulator, implement these ports.
 */
import type { Abortable } from '../base/abort.ts';
import type { Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { StoreStatus } from '../record/kinds.ts';

/** Records as they are, digests of them, or those whose hash starts with one of `ids`. */
export type GetMode = 'full' | 'digest' | 'by-id';

export interface PingRequest {
  readonly method: 'ping';
  /** 16 bytes: this PING answers a REACH, and proves that we can be reached. */
  readonly nonce?: Bytes | undefined;
}

export interface FindRequest {
  readonly method: 'find';
  /** 32 bytes: a node ID or key. */
  readonly target: Bytes;
}

export interface GetRequest {
  readonly method: 'get';
  /** 32 bytes. */
  readonly key: Bytes;
  readonly mode: GetMode;
  /** Records with a lower seq are not sent. */
  readonly minSeq: bigint;
  /** 0, or the `next` of the reply before: the page to send. */
  readonly cursor: number;
  /** For 'by-id', at most 2: first 16 bytes of record hashes. Else empty. */
  readonly ids: readonly Bytes[];
}

export interface StoreRequest {
  readonly method: 'store';
  /** An encoded record, at most 1,000 bytes; not yet looked at. */
  readonly record: Bytes;
}

/** What the asked node holds of keys that the asker should hold: hand-off is a pull. */
export interface SyncRequest {
  readonly method: 'sync';
  /** 48 bytes: key ‖ hash of the last entry of the page before; zeros for the first page. */
  readonly after: Bytes;
}

/**
 * Whether we can be reached from outside. Without a target: have somebody else send us a PING with
 * the nonce. With one: send that PING to the target, from a port that never talked to it.
 */
export interface ReachRequest {
  readonly method: 'reach';
  /** 16 bytes. */
  readonly nonce: Bytes;
  readonly target: Contact | undefined;
}

/** Here is a newer record than you may have: sent unasked, to be passed on by who wants it. */
export interface AnnounceRequest {
  readonly method: 'announce';
  /** An encoded record, 158 to 1,000 bytes; not yet looked at. */
  readonly record: Bytes;
}

/** The asker is about to stop: whoever lists it need not find that out by itself. */
export interface LeaveRequest {
  readonly method: 'leave';
}

export type Request =
  | PingRequest
  | FindRequest
  | GetRequest
  | StoreRequest
  | SyncRequest
  | AnnounceRequest
  | ReachRequest
  | LeaveRequest;
export type Method = Request['method'];

/** A record in 45 bytes. */
export interface RecordDigest {
  /** First 16 bytes of SHA-256(record). */
  readonly hash: Bytes;
  /** First 16 bytes of SHA-256(author). */
  readonly author: Bytes;
  readonly seq: bigint;
  /** 0–65,535. */
  readonly heldHours: number;
  /** Bytes of the record. */
  readonly size: number;
  readonly provisional: boolean;
}

export interface PingReply {
  readonly method: 'ping';
  /** The answerer's signed contact record, if the request left room for it. */
  readonly contactRecord: Bytes | undefined;
}

export interface FindReply {
  readonly method: 'find';
  /** At most 20, nearest to the target first. */
  readonly contacts: readonly Contact[];
}

export interface GetReply {
  readonly method: 'get';
  /** Encoded records, not yet looked at. */
  readonly records: readonly Bytes[];
  /** For each of `records`, whether its holder awaits confirmation (names only). */
  readonly provisional: readonly boolean[];
  readonly digests: readonly RecordDigest[];
  /** The cursor of the page after this one; undefined on the last. */
  readonly next: number | undefined;
  /** Contacts nearer to the key, as many as fit. */
  readonly contacts: readonly Contact[];
}

export interface StoreReply {
  readonly method: 'store';
  readonly status: StoreStatus;
  /** With SEQ_OLD the newer record, with NAME_TAKEN the holder's. */
  readonly conflicting: Bytes | undefined;
  /** With POW the bits that are asked for, with RATE the seconds to wait: 0–65,535. */
  readonly detail: number | undefined;
}

/** One record of those that the asker should hold as well. */
export interface SyncEntry {
  /** 32 bytes. */
  readonly key: Bytes;
  /** First 16 bytes of SHA-256(record). Zeros: no record, only how far the list has come. */
  readonly hash: Bytes;
}

export interface SyncReply {
  readonly method: 'sync';
  /** In order of key ‖ hash. */
  readonly entries: readonly SyncEntry[];
  /** Whether more follow after the last entry. */
  readonly more: boolean;
}

export interface ReachReply {
  readonly method: 'reach';
  /** Whether the PING was sent, or somebody found who promised to send it. */
  readonly accepted: boolean;
}

/** It came; whether anybody there heeds its author is not told. */
export interface AnnounceReply {
  readonly method: 'announce';
}

export interface LeaveReply {
  readonly method: 'leave';
}

export type Reply =
  | PingReply
  | FindReply
  | GetReply
  | StoreReply
  | SyncReply
  | AnnounceReply
  | ReachReply
  | LeaveReply;
export type ReplyTo<R extends Request> = Extract<Reply, { method: R['method'] }>;

/** Who asks. The handshake proved the node ID and the address, and nothing more. */
export interface Requester {
  readonly contact: Contact;
  /** Only servers are put into routing tables. */
  readonly server: boolean;
  /** Whether the request carried a valid address token. */
  readonly addressProven: boolean;
  /** The address families that it can reach; both when left out. */
  readonly want?: { readonly v4: boolean; readonly v6: boolean } | undefined;
}

/** What came with a reply, besides it. */
export interface ReplyInfo {
  readonly rttMs: number;
  /** Our address as the answerer sees it. */
  readonly observed: Endpoint;
  /** The answerer's clock, unix seconds. */
  readonly unixTime: number;
  /** Whether the answerer is in server mode. */
  readonly server: boolean;
  /** Servers in the network as the answerer estimates them; undefined where it does not say. */
  readonly networkSize: number | undefined;
}

export interface Answered<R extends Request> {
  readonly reply: ReplyTo<R>;
  readonly info: ReplyInfo;
}

/**
 * Answers a request. It must not throw: what is wrong with a request is part of the reply.
 * Undefined: the request is dropped without an answer.
 */
export type RequestHandler = (
  from: Requester,
  request: Request,
) => Reply | undefined | Promise<Reply | undefined>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * This contact was not heard of from a peer just now: a user named it, or it answered us in an
   * earlier run. It may be asked again soon after it failed.
   */
  readonly known?: boolean | undefined;
}

/** Requests to other nodes. */
export interface Transport {
  /**
   * Sends `request` and resolves with the reply that matched it; retries, tokens and cookies are
   * the transport's own business. Rejects with TIMEOUT, UNREACHABLE or ABORTED.
   */
  call<R extends Request>(to: Contact, request: R, options?: CallOptions): Promise<Answered<R>>;
  /** Asks who is at an address; the proven contact. Rejects like `call`. */
  identify(endpoint: Endpoint, options?: Abortable): Promise<Contact>;
  /**
   * Sends one PING with the nonce from a port of its own, and waits for no answer. Rejects with
   * UNREACHABLE or ABORTED.
   */
  knock(to: Contact, nonce: Bytes, options?: Abortable): Promise<void>;
  /** Sets the one handler of incoming requests. */
  serve(handler: RequestHandler): void;
}

/** A record with what its holder remembers of it. */
export interface StoredRecord {
  readonly record: SignedRecord;
  /** Unix milliseconds when this record's slot was first taken here. */
  readonly heldSinceMs: number;
  /** Unix milliseconds when these bytes or newer ones last came in. */
  readonly refreshedMs: number;
  /** Not yet confirmed by others (names only). */
  readonly provisional: boolean;
  /** Narrow prefix of the address that it came from, for quotas; '' for this node's own. */
  readonly source: string;
}

/** What this node holds for others. A slot (at most 64 bytes) is a record's place under its key. */
export interface RecordStore {
  /** All records under a key, in order of slot. */
  list(key: Bytes): readonly StoredRecord[];
  /** Takes the slot, replacing what was there; resolves when a crash can no longer undo it. */
  put(slot: Bytes, stored: StoredRecord): Promise<void>;
  remove(key: Bytes, slot: Bytes): Promise<void>;
  /** Every slot, in order of key; may be slow. Safe against changes meanwhile. */
  entries(): Iterable<{ readonly slot: Bytes; readonly stored: StoredRecord }>;
  /** The keys that hold something, each once, in order, from `from` on; safe as `entries`. */
  keys(from: Bytes): Iterable<Bytes>;
}

/** A record that this node publishes and keeps alive. */
export interface PublishedRecord {
  readonly record: SignedRecord;
  /** Unix milliseconds of the last publication; 0 for never. */
  readonly publishedMs: number;
}

/** What this node's own users published: survives restarts, so that it can be kept alive. */
export interface PublicationJournal {
  list(): readonly PublishedRecord[];
  get(key: Bytes, slot: Bytes): PublishedRecord | undefined;
  /** All under a key, without looking through the list. */
  under(key: Bytes): readonly PublishedRecord[];
  /** `slot` is unique under the record's key. */
  put(slot: Bytes, published: PublishedRecord): Promise<void>;
  remove(key: Bytes, slot: Bytes): Promise<void>;
}
